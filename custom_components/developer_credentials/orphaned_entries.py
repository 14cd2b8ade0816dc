"""Orphaned entries: integrations' config entries whose credential is gone, told in a repair.

They are found when a credential is deleted, and at the start of Home Assistant, where an entry
failed and no provider knows its `auth_implementation`. A credential that is deleted while it is
used is kept in memory until the restart, so that it can be restored.
"""

from collections.abc import Mapping
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .credentials import CONF_AUTH_DOMAIN, async_get_entry, async_get_users_of
from .instructions import escape_markdown
from .platform import async_get_name

# By integration and auth domain: what entries name, and what a credential has.
type Key = tuple[str, str]

# The implementation of Home Assistant Cloud's account linking, which comes and goes with its login.
_CLOUD: Final = "cloud"


class _Memory:
    """The subentries as they were last, those that were deleted, and what is told in repairs."""

    def __init__(self) -> None:
        """Initialize with nothing."""
        self.subentries: Mapping[str, ConfigSubentry] = {}
        self.deleted: dict[Key, ConfigSubentry] = {}
        self.told: dict[Key, str] = {}


_DATA_MEMORY: HassKey[_Memory] = HassKey(f"{DOMAIN}_orphaned_entries")


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Find orphaned entries from now on."""
    memory = hass.data[_DATA_MEMORY] = _Memory()
    if entry := async_get_entry(hass):
        memory.subentries = entry.subentries

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            if not _async_remember(hass, memory, change, entry):
                return
        elif change is not ConfigEntryChange.REMOVED or entry.domain not in {
            domain for domain, _ in memory.told
        }:
            return
        hass.async_create_task(async_check(hass), f"{DOMAIN} orphaned entries")

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    async_at_started(hass, async_check)


@callback
def _async_remember(
    hass: HomeAssistant, memory: _Memory, change: ConfigEntryChange, entry: ConfigEntry
) -> bool:
    """Remember what was deleted of our entry; return whether a credential came or went."""
    now: Mapping[str, ConfigSubentry] = (
        {} if change is ConfigEntryChange.REMOVED else entry.subentries
    )
    before, memory.subentries = memory.subentries, now
    for subentry_id in before.keys() - now.keys():
        if async_get_users_of(hass, *(key := _key(before[subentry_id]))):
            memory.deleted[key] = before[subentry_id]
    for subentry_id in now.keys() - before.keys():
        memory.deleted.pop(_key(now[subentry_id]), None)
    return before.keys() != now.keys()


def _key(subentry: ConfigSubentry) -> Key:
    return subentry.data["domain"], subentry.data[CONF_AUTH_DOMAIN]


@callback
def async_get_deleted(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Return a credential that was deleted since the start, None where it was not."""
    return hass.data[_DATA_MEMORY].deleted.get(key)


async def async_check(hass: HomeAssistant) -> None:
    """Tell of the orphaned entries that there are, and take back what was told of others."""
    memory = hass.data[_DATA_MEMORY]
    ours = {_key(subentry) for subentry in memory.subentries.values()}
    suspects = {
        (entry.domain, auth_domain)
        for entry in hass.config_entries.async_entries(include_ignore=False, include_disabled=False)
        if isinstance(auth_domain := entry.data.get("auth_implementation"), str)
        and auth_domain != _CLOUD
        and (entry.state in _FAILED or (entry.domain, auth_domain) in memory.deleted)
    }
    orphaned = {key for key in suspects - ours if await _async_is_unknown(hass, key)}
    for key in memory.told.keys() - orphaned:
        ir.async_delete_issue(hass, DOMAIN, memory.told.pop(key))
    for key in orphaned - memory.told.keys():
        memory.told[key] = await _async_report(hass, key)


# States of entries that may lack their credential.
_FAILED: Final = {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}


async def _async_is_unknown(hass: HomeAssistant, key: Key) -> bool:
    """Return whether no provider knows an implementation; one that is away might."""
    domain, auth_domain = key
    try:
        return auth_domain not in await async_get_implementations(hass, domain)
    except ImplementationUnavailableError:
        return False


async def _async_report(hass: HomeAssistant, key: Key) -> str:
    """Tell of the entries that name a credential which is gone; return the issue's id."""
    domain, auth_domain = key
    entries = async_get_users_of(hass, *key)
    name = await async_get_name(hass, domain)
    LOGGER.warning("The credential %s of %s is gone, but used", auth_domain, domain)
    issue_id = f"orphaned_{domain}_{auth_domain}"
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"domain": domain, "auth_domain": auth_domain},
        is_fixable=True,
        issue_domain=domain,
        severity=ir.IssueSeverity.ERROR,
        translation_key="entries_orphaned",
        translation_placeholders={
            "entries": ", ".join(escape_markdown(entry.title) for entry in entries),
            "integration": escape_markdown(name),
            # In titles, which are no Markdown.
            "name": name,
        },
    )
    return issue_id


@callback
def async_relink(hass: HomeAssistant, key: Key, auth_domain: str, *, same_client: bool) -> None:
    """Let entries use a credential, whose key they are given; one that is loaded goes on with it.

    Args:
        hass: Home Assistant.
        key: What the entries name now.
        auth_domain: What they shall name.
        same_client: Whether it is the client that their tokens belong to (RFC 6749, section 6);
            else their users log in again.
    """
    for entry in async_get_users_of(hass, *key):
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "auth_implementation": auth_domain}
        )
        if not same_client:
            entry.async_start_reauth(hass)
            continue
        # Newer versions of Home Assistant had asked for a login, for want of an implementation.
        for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
            hass.config_entries.flow.async_abort(flow["flow_id"])
        if auth_domain != key[1] or entry.state in _FAILED:
            hass.config_entries.async_schedule_reload(entry.entry_id)
