"""Orphaned entries: integrations' config entries whose credential is gone, told in a repair.

They are found when a credential is deleted, and at the start of Home Assistant, where an entry
failed and no provider knows its `auth_implementation`. A credential that is deleted while it is
used is kept in memory until the restart, so that it can be restored.
"""

import asyncio
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
from homeassistant.const import CONF_CLIENT_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.loader import async_get_integration
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..plain_text import escape_markdown
from ..platform import PLATFORM, async_get_name
from .store import (
    CONF_AUTH_DOMAIN,
    Key,
    async_find_subentry,
    async_get_all_subentries,
    async_get_or_create_entry,
    async_get_users_of,
    async_start_reauth,
    issue_id_of,
    key_of,
)

# The implementation of Home Assistant Cloud's account linking, which comes and goes with its login.
_CLOUD: Final = "cloud"


class _Memory:
    """The subentries as they were last, those that were deleted, and what is told in repairs."""

    def __init__(self) -> None:
        """Initialize with nothing."""
        self.subentries: Mapping[str, ConfigSubentry] = {}
        self.deleted: dict[Key, ConfigSubentry] = {}
        self.told: dict[Key, str] = {}
        self.lock = asyncio.Lock()


_DATA_MEMORY: HassKey[_Memory] = HassKey(f"{DOMAIN}_orphaned_entries")


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Find orphaned entries from now on."""
    memory = hass.data[_DATA_MEMORY] = _Memory()
    memory.subentries = async_get_all_subentries(hass)

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            if not _async_remember(hass, memory):
                return
        elif entry.domain not in {domain for domain, _ in memory.told}:
            return
        hass.async_create_task(async_check(hass), f"{DOMAIN} orphaned entries")

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    async_at_started(hass, async_check)


@callback
def _async_remember(hass: HomeAssistant, memory: _Memory) -> bool:
    """Remember what was deleted of our entry; return whether a credential came or went."""
    now = async_get_all_subentries(hass)
    before, memory.subentries = memory.subentries, now
    for subentry_id in before.keys() - now.keys():
        if async_get_users_of(hass, *(key := key_of(before[subentry_id]))):
            memory.deleted[key] = before[subentry_id]
    for subentry_id in now.keys() - before.keys():
        memory.deleted.pop(key_of(now[subentry_id]), None)
    return before.keys() != now.keys()


@callback
def async_get_deleted(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Return a credential that was deleted since the start, None where it was not."""
    return hass.data[_DATA_MEMORY].deleted.get(key)


async def async_check(hass: HomeAssistant) -> None:
    """Tell of the orphaned entries that there are, and take back what was told of others."""
    memory = hass.data[_DATA_MEMORY]
    # One after the other: the last one sees what is.
    async with memory.lock:
        orphaned = {
            key: entry
            for key, entry in _suspects(hass, memory).items()
            if await _async_is_unknown(hass, entry)
        }
        for key in memory.told.keys() - orphaned.keys():
            ir.async_delete_issue(hass, DOMAIN, memory.told.pop(key))
        for key in orphaned.keys() - memory.told.keys():
            memory.told[key] = await _async_report(hass, key)


def _suspects(hass: HomeAssistant, memory: _Memory) -> dict[Key, ConfigEntry]:
    """Return an entry for each credential that may be gone."""
    ours = {key_of(subentry) for subentry in memory.subentries.values()}
    return {
        key: entry
        for entry in hass.config_entries.async_entries(include_ignore=False, include_disabled=False)
        if isinstance(auth_domain := entry.data.get("auth_implementation"), str)
        and auth_domain != _CLOUD
        and (key := (entry.domain, auth_domain)) not in ours
        and (entry.state in _FAILED or key in memory.deleted)
    }


# States of entries that may lack their credential.
_FAILED: Final = {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}


async def _async_is_unknown(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Return whether no provider knows an entry's implementation; one that is away might."""
    try:
        integration = await async_get_integration(hass, entry.domain)
        if not integration.platforms_exists((PLATFORM, PEER)):
            # It may register its implementation itself, whenever it likes.
            return False
        await async_get_config_entry_implementation(hass, entry)
    except ValueError:
        return True
    except Exception as err:  # noqa: BLE001 - a provider that fails must not hide other orphans
        LOGGER.debug("It is not known whether %s is orphaned: %s", entry.title, type(err).__name__)
    return False


async def _async_report(hass: HomeAssistant, key: Key) -> str:
    """Tell of the entries that name a credential which is gone; return the issue's id."""
    domain, auth_domain = key
    entries = async_get_users_of(hass, *key)
    name = await async_get_name(hass, domain)
    LOGGER.warning("The credential %s of %s is gone, but used", auth_domain, domain)
    issue_id = issue_id_of("orphaned", key)
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


async def async_restore(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Restore a deleted credential and link the entries to it; None where it cannot be restored."""
    if (deleted := async_get_deleted(hass, key)) is None:
        return None
    entry = await async_get_or_create_entry(hass)
    # YAML may have brought it back with the entry, perhaps by another key.
    client_id = deleted.data[CONF_CLIENT_ID]
    if (subentry := async_find_subentry(hass, key[0], client_id)) is None:
        hass.config_entries.async_add_subentry(entry, deleted)
        subentry = deleted
    await async_relink(hass, key, subentry.data[CONF_AUTH_DOMAIN], client_id)
    return subentry


async def async_relink(
    hass: HomeAssistant, key: Key, auth_domain: str, client_id: str | None
) -> None:
    """Let entries use a credential, whose key they are given; one that is loaded goes on with it.

    With another client than the one that their tokens belong to (RFC 6749, section 6), their users
    log in again.

    Args:
        hass: Home Assistant.
        key: What the entries name now.
        auth_domain: What they shall name.
        client_id: The client of the credential.
    """
    if deleted := async_get_deleted(hass, key):
        same_client = deleted.data[CONF_CLIENT_ID] == client_id
    else:
        # What is left of the client id is the key that was made of it, if it was. Where that says
        # nothing, the server will.
        domain, old = key
        slug = slugify(f"{domain}.{client_id}")
        same_client = old in {domain, slug} or old.startswith(f"{slug}_")
    for entry in async_get_users_of(hass, *key):
        _async_link(hass, entry, auth_domain, same_client=same_client)
    await async_check(hass)


@callback
def _async_link(
    hass: HomeAssistant, entry: ConfigEntry, auth_domain: str, *, same_client: bool
) -> None:
    moved = entry.data["auth_implementation"] != auth_domain
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": auth_domain}
    )
    if not same_client:
        async_start_reauth(hass, entry)
        return
    # Newer versions of Home Assistant have asked for a login, for want of an implementation. Where
    # it was for another reason, the reload brings that up again.
    flows = list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    for flow in flows:
        hass.config_entries.flow.async_abort(flow["flow_id"])
    if flows or moved or entry.state in _FAILED:
        hass.config_entries.async_schedule_reload(entry.entry_id)
