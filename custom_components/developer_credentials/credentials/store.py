"""The credentials: subentries of the one config entry of this integration.

A subentry of type `credential` has the domain of the integration, the values of the
`DeveloperCredential`, and the `auth_domain`: what the integration's config entries keep as their
`auth_implementation`. The `auth_domain` is given once and never changes. The subentry's unique id
is made of domain and client id, so that Home Assistant refuses a second one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from homeassistant.config_entries import (
    SOURCE_IMPORT,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryData,
)
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import Integration
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..oauth2.client import DeveloperCredential
from ..oauth2.redirect_uri import RedirectUri

CONF_AUTH_DOMAIN: Final = "auth_domain"
CONF_AUTH_METHOD: Final = "token_endpoint_auth_method"
CONF_REDIRECT_URI: Final = "redirect_uri"
SUBENTRY_TYPE: Final = "credential"

# By integration and `auth_domain`: what a credential is known by, whatever becomes of it.
type Key = tuple[str, str]

_DATA_INDEX: HassKey[_Index] = HassKey(f"{DOMAIN}_index")
_DATA_ENTRY_LOCK: HassKey[asyncio.Lock] = HassKey(f"{DOMAIN}_entry_lock")


@dataclass(frozen=True, slots=True, repr=False)
class _Index:
    """The subentries of each integration, as of one state of the config entry.

    Home Assistant replaces the mapping when a subentry comes or goes, and changes a subentry in
    place, so that the index is right for as long as the mapping is the same object.
    """

    subentries: Mapping[str, ConfigSubentry]
    by_domain: dict[str, list[ConfigSubentry]]


@callback
def async_get_entry(hass: HomeAssistant) -> ConfigEntry | None:
    """Return the config entry that holds the credentials, None before the first credential."""
    return next(iter(hass.config_entries.async_entries(DOMAIN, include_ignore=False)), None)


async def async_get_or_create_entry(hass: HomeAssistant) -> ConfigEntry:
    """Return the config entry that holds the credentials, created where there is none.

    It is created in a task of its own: what Home Assistant sets of the context while it sets up an
    entry (`current_entry`) is not the caller's, who may be setting up another one.
    """
    if entry := async_get_entry(hass):
        return entry
    async with hass.data.setdefault(_DATA_ENTRY_LOCK, asyncio.Lock()):
        if entry := async_get_entry(hass):
            return entry
        flow = hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_IMPORT})
        result = await hass.async_create_task(flow, f"{DOMAIN} entry")
        return result["result"]


@callback
def async_get_subentries(hass: HomeAssistant, domain: str) -> list[ConfigSubentry]:
    """Return the subentries with an integration's credentials, oldest first."""
    if (entry := async_get_entry(hass)) is None:
        return []
    index = hass.data.get(_DATA_INDEX)
    if index is None or index.subentries is not entry.subentries:
        by_domain: dict[str, list[ConfigSubentry]] = {}
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE):
            by_domain.setdefault(subentry.data[CONF_DOMAIN], []).append(subentry)
        index = hass.data[_DATA_INDEX] = _Index(entry.subentries, by_domain)
    return index.by_domain.get(domain, [])


@callback
def async_forget(hass: HomeAssistant) -> None:
    """Forget the subentries of an entry that was removed."""
    hass.data.pop(_DATA_INDEX, None)


@callback
def async_find_subentry(hass: HomeAssistant, domain: str, client_id: str) -> ConfigSubentry | None:
    """Return the subentry with an integration's client id, None where there is none."""
    return next(
        (
            subentry
            for subentry in async_get_subentries(hass, domain)
            if subentry.data[CONF_CLIENT_ID] == client_id
        ),
        None,
    )


def key_of(subentry: ConfigSubentry) -> Key:
    """Return what a credential is known by."""
    return subentry.data[CONF_DOMAIN], subentry.data[CONF_AUTH_DOMAIN]


@callback
def async_get_by_key(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Return the subentry of a credential, None where there is none."""
    subentries = async_get_subentries(hass, key[0])
    return next((subentry for subentry in subentries if key_of(subentry) == key), None)


@callback
def async_new_subentry(
    hass: HomeAssistant,
    integration: Integration,
    credential: DeveloperCredential,
    *,
    auth_domain: str | None = None,
) -> ConfigSubentryData:
    """Return the subentry for a new credential, with an `auth_domain` that no other one has.

    Args:
        hass: Home Assistant.
        integration: The integration that the credential is for.
        credential: The credential.
        auth_domain: The `auth_domain` to have if it is free; made from domain and client id
            by default.
    """
    domain = integration.domain
    wanted = auth_domain or slugify(f"{domain}.{credential.client_id}")
    taken = {subentry.data[CONF_AUTH_DOMAIN] for subentry in async_get_subentries(hass, domain)}
    auth_domain, number = wanted, 1
    while auth_domain in taken:
        number += 1
        auth_domain = f"{wanted}_{number}"
    return ConfigSubentryData(
        data={CONF_DOMAIN: domain, CONF_AUTH_DOMAIN: auth_domain, **_data_of(credential)},
        subentry_type=SUBENTRY_TYPE,
        title=f"{integration.name}: {credential}",
        unique_id=f"{domain}.{credential.client_id}",
    )


@callback
def async_add_subentry(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentryData
) -> ConfigSubentry:
    """Add a subentry to the config entry, and return it.

    Raises:
        AbortFlow: The integration has a credential with this client id already.
    """
    added = ConfigSubentry(
        data=MappingProxyType(dict(subentry["data"])),
        subentry_type=subentry["subentry_type"],
        title=subentry["title"],
        unique_id=subentry["unique_id"],
    )
    hass.config_entries.async_add_subentry(entry, added)
    return added


@callback
def async_update_credential(
    hass: HomeAssistant,
    subentry: ConfigSubentry,
    integration: Integration,
    credential: DeveloperCredential,
    *,
    attended: ConfigEntry | None = None,
) -> None:
    """Change a credential in place; its `auth_domain` stays.

    Implementations in use take it over at once. An entry in error is reloaded. Where the client id
    is another one, the entries have to log in again, since a refresh token belongs to a client
    (RFC 6749, section 6).

    Args:
        hass: Home Assistant.
        subentry: The credential to change; it is there.
        integration: The integration that it is for.
        credential: What it shall be.
        attended: An entry whose user is about to log in again anyway.

    Raises:
        AbortFlow: Another credential of the integration has the client id already.
    """
    before = credential_of(subentry)
    (entry,) = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data={**subentry.data, **_data_of(credential)},
        title=f"{integration.name}: {credential}",
        unique_id=f"{integration.domain}.{credential.client_id}",
    )
    for user in async_get_users(hass, subentry):
        if credential.client_id != before.client_id:
            if user is not attended:
                async_start_reauth(hass, user)
        elif user.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}:
            hass.config_entries.async_schedule_reload(user.entry_id)


@callback
def async_adopt_title(hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry) -> None:
    """Let a credential have the name that the user gave to its subentry in the list."""
    credential = credential_of(subentry)
    if not subentry.title.endswith(str(credential)):
        name = subentry.title.partition(": ")[2] or subentry.title
        data = {**subentry.data, CONF_NAME: name}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)


@callback
def async_start_reauth(hass: HomeAssistant, user: ConfigEntry) -> None:
    """Have the user of an entry log in again, unless the entry is disabled."""
    if not user.disabled_by:
        user.async_start_reauth(hass)


@callback
def async_get_users(hass: HomeAssistant, subentry: ConfigSubentry) -> list[ConfigEntry]:
    """Return the integration's config entries that use a credential."""
    return async_get_users_of(hass, subentry.data[CONF_DOMAIN], subentry.data[CONF_AUTH_DOMAIN])


@callback
def async_get_users_of(hass: HomeAssistant, domain: str, auth_domain: str) -> list[ConfigEntry]:
    """Return the config entries of an integration that name an `auth_domain`."""
    return [
        entry
        for entry in hass.config_entries.async_entries(domain)
        if entry.data.get("auth_implementation") == auth_domain
    ]


def credential_of(subentry: ConfigSubentry) -> DeveloperCredential:
    """Return the credential that a subentry holds."""
    data = subentry.data
    return DeveloperCredential(
        client_id=data[CONF_CLIENT_ID],
        client_secret=data[CONF_CLIENT_SECRET],
        name=data[CONF_NAME],
        redirect_uri=RedirectUri(data[CONF_REDIRECT_URI]),
        token_endpoint_auth_method=data[CONF_AUTH_METHOD],
    )


def _data_of(credential: DeveloperCredential) -> dict[str, str | None]:
    """Return what a subentry keeps of a credential."""
    return {
        CONF_CLIENT_ID: credential.client_id,
        CONF_CLIENT_SECRET: credential.client_secret,
        CONF_NAME: credential.name,
        CONF_REDIRECT_URI: credential.redirect_uri.value,
        CONF_AUTH_METHOD: credential.token_endpoint_auth_method,
    }
