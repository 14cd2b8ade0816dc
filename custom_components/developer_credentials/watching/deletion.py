"""Application credentials that were deleted while they are used.

Home Assistant refuses to delete one whose id entries name. Those that were imported have another
name there, and so have those of integrations that name themselves: they can be deleted, and their
entries fail at the next start. Such a one is kept in memory until the restart, or until nobody uses
it, and restored under its old id. `orphaned_entries` tells of the entries.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.collection import CHANGE_REMOVED, CollectionChange
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
    async_is_free,
    async_listen,
    async_restore_application_credential,
    parse_item,
)
from ..core_credentials.naming import async_get_title
from ..core_credentials.options import async_get_options
from ..core_credentials.users import async_get_application_credential_users, async_learn_users
from ..credentials.orphaned_entries import IssueText, async_set_deleted_elsewhere
from ..credentials.store import Key, async_get_users_of

_FAILED: Final = {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}


class _Deleted(NamedTuple):
    """A deleted application credential: what it was, and its item."""

    application_credential: ApplicationCredential
    item: Mapping[str, Any]


class _Memory:
    """What was deleted while it was used, by what the entries name."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with nothing deleted."""
        self._hass = hass
        self.deleted: dict[Key, _Deleted] = {}
        self.is_told = False

    @callback
    def async_collection_changed(self, change: CollectionChange) -> None:
        """Remember an item that was deleted; forget those that are there again."""
        if change.change_type == CHANGE_REMOVED and (gone := parse_item(change.item)):
            self._hass.async_create_task(
                self._async_remember(gone, change.item), f"{DOMAIN} deleted application credential"
            )
        else:
            self.async_tell()

    async def _async_remember(self, gone: ApplicationCredential, item: Mapping[str, Any]) -> None:
        """Remember what was deleted where it is used, by whatever name."""
        await async_learn_users(self._hass, gone)
        for user in async_get_application_credential_users(self._hass, gone):
            key = user.domain, user.data["auth_implementation"]
            self.deleted[key] = _Deleted(gone, item)
        self.async_tell()

    @callback
    def async_entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Forget what the entry was the last one to use."""
        keys = [key for key in self.deleted if key[0] == entry.domain]
        if any(not async_get_users_of(self._hass, *key) for key in keys):
            self.async_tell()

    @callback
    def async_tell(self) -> None:
        """Have it told what is missing; what is there again, or not used, is forgotten."""
        there = {
            (one.domain, one.auth_domain)
            for one in async_get_application_credentials(self._hass).values()
        }
        self.deleted = {
            key: one
            for key, one in self.deleted.items()
            if (key[0], one.application_credential.auth_domain) not in there
            and async_get_users_of(self._hass, *key)
        }
        texts = {
            key: _text(self._hass, one.application_credential)
            for key, one in self.deleted.items()
            if self.is_told
        }
        async_set_deleted_elsewhere(self._hass, texts)


_DATA_MEMORY: HassKey[_Memory] = HassKey(f"{DOMAIN}_deleted_application_credentials")


@callback
def async_watch(hass: HomeAssistant) -> CALLBACK_TYPE:
    """Remember what is deleted while it is used, and have it told; return what ends that.

    What is remembered by then is kept for the next time.
    """
    memory = hass.data.setdefault(_DATA_MEMORY, _Memory(hass))
    memory.is_told = True
    stop_listening = async_listen(hass, memory.async_collection_changed)
    stop_hearing = async_dispatcher_connect(
        hass, SIGNAL_CONFIG_ENTRY_CHANGED, memory.async_entry_changed
    )
    memory.async_tell()

    @callback
    def end() -> None:
        stop_listening()
        stop_hearing()
        memory.is_told = False
        memory.async_tell()

    return end


@callback
def _text(hass: HomeAssistant, gone: ApplicationCredential) -> IssueText:
    return IssueText(
        translation_key="application_credential_deleted",
        placeholders={"credential": async_get_title(hass, gone)},
    )


@callback
def async_is_restorable(hass: HomeAssistant, key: Key) -> bool:
    """Return whether what entries name was deleted since the start, and its id is free."""
    deleted = _async_get(hass, key)
    return deleted is not None and async_is_free(hass, deleted.application_credential.item_id)


@callback
def _async_get(hass: HomeAssistant, key: Key) -> _Deleted | None:
    """Return what entries name and was deleted; None while we do not look after it."""
    memory = hass.data.get(_DATA_MEMORY)
    return memory.deleted.get(key) if memory and async_get_options(hass).look_after else None


async def async_restore(hass: HomeAssistant, key: Key) -> ApplicationCredential | None:
    """Restore a deleted application credential; return None where it cannot be restored.

    The entries that lack it load again.

    Args:
        hass: Home Assistant.
        key: What the entries name.
    """
    deleted = _async_get(hass, key)
    if deleted is None or not await async_restore_application_credential(hass, deleted.item):
        return None
    for user in async_get_users_of(hass, *key):
        if user.state in _FAILED or any(user.async_get_active_flows(hass, {SOURCE_REAUTH})):
            # A reload ends a login that was asked for in want of an implementation.
            hass.config_entries.async_schedule_reload(user.entry_id)
    return deleted.application_credential


@callback
def async_forget(hass: HomeAssistant) -> None:
    """Forget what was deleted, with its secrets."""
    hass.data.pop(_DATA_MEMORY, None)
