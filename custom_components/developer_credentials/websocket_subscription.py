"""What becomes of the credentials, for those who subscribe through the WebSocket API.

Home Assistant signals each change of each config entry: of its state, and of each token that an
integration stores. What is told of a credential is put together anew only where it has changed.
"""

from collections.abc import Mapping
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryChange, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.collection import CHANGE_ADDED, CHANGE_REMOVED, CHANGE_UPDATED

from .const import DOMAIN
from .credentials.store import async_get_all_subentries, async_get_by_key
from .websocket_commands import CONF_CREDENTIAL_ID, Fields, item_of

CONF_CHANGE_TYPE: Final = "change_type"
CONF_ITEM: Final = "item"


class CredentialChanges:
    """What has become of the credentials since it was last told, as items of an event."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with nothing told."""
        self._hass = hass
        # By subentry: what was told of it, and its data, which Home Assistant replaces at a change.
        self._items: dict[str, Fields] = {}
        self._data: dict[str, Mapping[str, object]] = {}
        # What each entry names as its credential.
        self._used = {
            entry.entry_id: _auth_domain(entry) for entry in hass.config_entries.async_entries()
        }

    @callback
    def async_credentials_changed(self) -> list[Fields]:
        """Return what has changed of the credentials themselves; a new secret is a change, too."""
        subentries = async_get_all_subentries(self._hass)
        gone = self._data.keys() - subentries.keys()
        changes = [_change(CHANGE_REMOVED, self._items.pop(one)) for one in gone]
        for one in gone:
            del self._data[one]
        for subentry in subentries.values():
            if self._data.get(subentry.subentry_id) is not subentry.data:
                self._data[subentry.subentry_id] = subentry.data
                changes.append(self._async_told(subentry))
        return changes

    @callback
    def async_entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> list[Fields]:
        """Return what has changed of the credentials with a config entry."""
        if entry.domain == DOMAIN:
            return self.async_credentials_changed()
        before = self._used.get(entry.entry_id)
        now = None if change is ConfigEntryChange.REMOVED else _auth_domain(entry)
        if before == now:
            return []
        self._used[entry.entry_id] = now
        users_changed = [
            subentry
            for auth_domain in (before, now)
            if auth_domain is not None
            and (subentry := async_get_by_key(self._hass, (entry.domain, auth_domain)))
        ]
        return [self._async_told(subentry) for subentry in users_changed]

    @callback
    def _async_told(self, subentry: ConfigSubentry) -> Fields:
        """Return the change of a credential, which is told by that."""
        change = CHANGE_UPDATED if subentry.subentry_id in self._items else CHANGE_ADDED
        item = self._items[subentry.subentry_id] = item_of(self._hass, subentry)
        return _change(change, item)


def _auth_domain(entry: ConfigEntry) -> str | None:
    """Return what an entry names as its credential, None where it names none."""
    auth_domain = entry.data.get("auth_implementation")
    return auth_domain if isinstance(auth_domain, str) else None


def _change(change: str, item: Fields) -> Fields:
    return {CONF_CHANGE_TYPE: change, CONF_CREDENTIAL_ID: item["id"], CONF_ITEM: item}
