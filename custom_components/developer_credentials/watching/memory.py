"""What is remembered of application credentials in the data of our entry, over restarts.

Digests of the clients that their server has accepted once, with a salt of their own: by a code that
nobody issued, which some servers call a bad client, and apart from those, by a token request; a
random key of each item that an issue was about, since every user can read an issue and nobody may
find a client there; and the logins that were taken back. What belongs to no item any more is
forgotten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
import secrets
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback

from ..core_credentials.collection import async_get_application_credentials
from ..core_credentials.options import async_get_options
from ..credentials.store import async_get_entry
from ..private_api import async_get_collection

# In our entry's data.
CONF_WATCHED: Final = "watched"


@dataclass
class _Memory:
    """What is stored.

    Attributes:
        salt: What the digests are made with.
        accepted: The digests of the clients that were accepted once.
        given_token: The digests of the clients whose token requests were accepted once.
        issue_keys: Random keys, by item.
        logins: By entry, when its login was taken back, in seconds since 1970; None where it came
            back, or was asked for by the user, and is left alone.
    """

    salt: str
    accepted: list[str] = field(default_factory=list)
    given_token: list[str] = field(default_factory=list)
    issue_keys: dict[str, str] = field(default_factory=dict)
    logins: dict[str, float | None] = field(default_factory=dict)

    def digest(self, domain: str, client_id: str) -> str:
        """Return the digest of a client."""
        return sha256(f"{self.salt}\n{domain}\n{client_id}".encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be stored."""
        return {
            "salt": self.salt,
            "accepted": self.accepted,
            "given_token": self.given_token,
            "issue_keys": self.issue_keys,
            "logins": self.logins,
        }


def _read(data: Mapping[str, Any]) -> _Memory:
    """Return what an entry's data has; what is damaged of it is forgotten."""
    stored = data.get(CONF_WATCHED)
    if not isinstance(stored, Mapping) or not isinstance(salt := stored.get("salt"), str):
        return _Memory(secrets.token_hex(16))
    return _Memory(
        salt,
        _texts(stored, "accepted"),
        _texts(stored, "given_token"),
        {key: one for key, one in _mapping(stored, "issue_keys").items() if isinstance(one, str)},
        {
            key: one
            for key, one in _mapping(stored, "logins").items()
            if one is None or isinstance(one, float | int)
        },
    )


def _texts(stored: Mapping[str, Any], key: str) -> list[str]:
    value = stored.get(key)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _mapping(stored: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = stored.get(key)
    return value if isinstance(value, Mapping) else {}


@callback
def _async_read(hass: HomeAssistant) -> _Memory | None:
    """Return what is remembered; None without our entry."""
    return _read(entry.data) if (entry := async_get_entry(hass)) else None


@callback
def _async_change(hass: HomeAssistant, change: Callable[[_Memory], None]) -> None:
    """Change what is remembered, if there is an entry; forget what is about no item any more."""
    if (entry := async_get_entry(hass)) is None:
        return
    memory = _read(entry.data)
    if async_get_collection(hass):
        items = async_get_application_credentials(hass)
        clients = {memory.digest(one.domain, one.credential.client_id) for one in items.values()}
        memory.accepted = [one for one in memory.accepted if one in clients]
        memory.given_token = [one for one in memory.given_token if one in clients]
        memory.issue_keys = {key: one for key, one in memory.issue_keys.items() if key in items}
    known = {one.entry_id for one in hass.config_entries.async_entries()}
    memory.logins = {key: one for key, one in memory.logins.items() if key in known}
    change(memory)
    data = {**entry.data, CONF_WATCHED: memory.as_dict()}
    hass.config_entries.async_update_entry(entry, data=data)


@callback
def async_note_accepted(hass: HomeAssistant, domain: str, client_id: str) -> None:
    """Remember that a server has accepted an integration's client."""
    if not async_get_options(hass).look_after or async_was_accepted(hass, domain, client_id):
        return
    _async_change(hass, lambda memory: memory.accepted.append(memory.digest(domain, client_id)))


@callback
def async_was_accepted(hass: HomeAssistant, domain: str, client_id: str) -> bool:
    """Return whether a server has accepted an integration's client, with whatever secret."""
    memory = _async_read(hass)
    return memory is not None and memory.digest(domain, client_id) in memory.accepted


@callback
def async_note_token(hass: HomeAssistant, domain: str, client_id: str) -> None:
    """Remember that a server has accepted an integration's client in a token request of its own."""
    if not async_get_options(hass).look_after or async_has_had_token(hass, domain, client_id):
        return
    _async_change(hass, lambda memory: memory.given_token.append(memory.digest(domain, client_id)))


@callback
def async_has_had_token(hass: HomeAssistant, domain: str, client_id: str) -> bool:
    """Return whether a server has accepted an integration's client in a token request."""
    memory = _async_read(hass)
    return memory is not None and memory.digest(domain, client_id) in memory.given_token


@callback
def async_get_issue_key(hass: HomeAssistant, item_id: str) -> str:
    """Return the random key by which issues are about an item; it stays the same."""
    memory = _async_read(hass)
    if memory and (known := memory.issue_keys.get(item_id)):
        return known
    key = secrets.token_hex(16)
    _async_change(hass, lambda memory: memory.issue_keys.update({item_id: key}))
    return key


@callback
def async_get_logins(hass: HomeAssistant) -> Mapping[str, float | None]:
    """Return by entry when its login was taken back; None where logins are left alone now."""
    memory = _async_read(hass)
    return memory.logins if memory else {}


@callback
def async_set_logins(hass: HomeAssistant, logins: Mapping[str, float | None]) -> None:
    """Remember which logins were taken back."""
    if async_get_logins(hass) != logins:
        _async_change(hass, lambda memory: setattr(memory, "logins", dict(logins)))
