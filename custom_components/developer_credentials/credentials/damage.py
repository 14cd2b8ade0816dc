"""Damage of what is stored: found, told in a repair, and mended or removed by it.

Home Assistant's storage may have been edited, cut short, or restored in part. A damaged credential
is left out, and a second entry of this integration is not used; all others are as good as before.
"""

from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.const import CONF_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import async_get_integrations
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, NOTHING
from ..plain_text import escape_markdown, plain_line
from .migration import async_migrate_credentials
from .store import (
    async_free_auth_domain,
    async_get_damaged,
    async_get_entry,
    async_remove_subentry,
    async_update_subentry,
)
from .stored_credential import CONF_AUTH_DOMAIN, mended_data_of

# What the ids of the issues begin with.
DAMAGED_CREDENTIAL: Final = "credential_damaged"
SECOND_ENTRY: Final = "second_entry"

# What is told, by the id of the subentry or of the entry.
_DATA_TOLD: HassKey[dict[str, str]] = HassKey(f"{DOMAIN}_damage")


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Tell of damage from now on."""
    told: dict[str, str] = {}
    hass.data[_DATA_TOLD] = told

    @callback
    def entry_changed(_: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            _async_check(hass)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    _async_check(hass)


@callback
def async_get_second_entries(hass: HomeAssistant) -> dict[str, ConfigEntry]:
    """Return the entries of this integration beside the one that is used, by their ids."""
    first = async_get_entry(hass)
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return {entry.entry_id: entry for entry in entries if entry is not first}


@callback
def _async_check(hass: HomeAssistant) -> None:
    """Tell of the damage that there is, and take back what was told of other damage."""
    told = hass.data[_DATA_TOLD]
    damaged, second = async_get_damaged(hass), async_get_second_entries(hass)
    for one in told.keys() - damaged.keys() - second.keys():
        ir.async_delete_issue(hass, DOMAIN, told.pop(one))
    for one in damaged.keys() - told.keys():
        told[one] = f"{DAMAGED_CREDENTIAL}_{one}"
        hass.async_create_task(_async_report(hass, damaged[one]), f"{DOMAIN} damaged credential")
    for one in second.keys() - told.keys():
        told[one] = f"{SECOND_ENTRY}_{one}"
        LOGGER.error("The second entry of %s, %s, is not used", DOMAIN, one)
        ir.async_create_issue(
            hass,
            DOMAIN,
            told[one],
            is_fixable=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key="second_entry",
        )


async def _async_report(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Tell of a damaged credential: its integration, where that is known, and nothing else."""
    LOGGER.error("The stored credential %s is damaged, and left out", subentry.subentry_id)
    name, domain = NOTHING, subentry.data.get(CONF_DOMAIN)
    if isinstance(domain, str):
        integration = (await async_get_integrations(hass, [domain]))[domain]
        name = NOTHING if isinstance(integration, Exception) else integration.name
    if issue_id := hass.data[_DATA_TOLD].get(subentry.subentry_id):
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key="credential_damaged",
            translation_placeholders={
                "integration": escape_markdown(name),
                # In the title, which is no Markdown.
                "name": plain_line(name),
            },
        )


@callback
def async_mend(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Mend a damaged credential, or remove it where it cannot be mended.

    What is told again by a default is mended: how the client authenticates, its redirect URI, its
    name, what YAML had of it; and an `auth_domain` that two have.
    """
    if (data := mended_data_of(subentry)) is None:
        async_remove_subentry(hass, subentry)
        return
    domain = data[CONF_DOMAIN]
    # Two may have the same one; it is free where this one is the only one.
    data[CONF_AUTH_DOMAIN] = async_free_auth_domain(hass, domain, data[CONF_AUTH_DOMAIN])
    title = subentry.title if isinstance(subentry.title, str) else domain
    async_update_subentry(hass, subentry, data, title, subentry.unique_id)


async def async_merge(hass: HomeAssistant, second: ConfigEntry) -> None:
    """Move what a second entry has to the one that is used, and remove the second one."""
    first, *_ = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    for subentry in second.subentries.values():
        try:
            hass.config_entries.async_add_subentry(first, subentry)
        except AbortFlow:
            LOGGER.warning("The credential %s is there twice", subentry.subentry_id)
    # The second one may be from an older version: only what is used is migrated.
    await async_migrate_credentials(hass)
    await hass.config_entries.async_remove(second.entry_id)
