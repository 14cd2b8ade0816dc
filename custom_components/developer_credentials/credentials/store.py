"""The credentials: subentries of the one config entry of this integration.

What each holds stands in `stored_credential`. The `auth_domain`, which the integration's config
entries keep as their `auth_implementation`, is given once and never changes. The subentry's unique
id is made of domain, client id and the values of the server's variables, so that Home Assistant
refuses a second one. A damaged subentry is left out of all that is found here but
`async_get_damaged`.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import (
    SOURCE_IMPORT,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryData,
)
from homeassistant.const import CONF_CLIENT_ID, CONF_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.loader import Integration, IntegrationNotLoaded, async_get_loaded_integration
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..oauth2.client import DeveloperCredential
from ..plain_text import join_surrogates, plain_line
from .index import NO_CREDENTIALS, Index
from .stored_credential import (
    CONF_AUTH_DOMAIN,
    CONF_AUTH_METHOD,
    CONF_REDIRECT_URI,
    CONF_VARIABLES,
    SUBENTRY_TYPE,
    Key,
    StoredCredential,
    credential_of,
    data_of,
    key_of,
    stored_of,
    unique_id_of,
)
from .titles import integration_in, name_in, title_of

__all__ = [
    "CONF_AUTH_DOMAIN",
    "CONF_AUTH_METHOD",
    "CONF_REDIRECT_URI",
    "CONF_VARIABLES",
    "SUBENTRY_TYPE",
    "Key",
    "credential_of",
    "key_of",
    "unique_id_of",
]

_DATA_INDEX: HassKey[Index] = HassKey(f"{DOMAIN}_index")
_DATA_TITLES: HassKey[dict[str, str]] = HassKey(f"{DOMAIN}_titles")
_DATA_ENTRY_LOCK: HassKey[asyncio.Lock] = HassKey(f"{DOMAIN}_entry_lock")


@callback
def _async_index(hass: HomeAssistant) -> Index:
    """Return the index of what is stored now."""
    if (entry := async_get_entry(hass)) is None:
        return NO_CREDENTIALS
    index = hass.data.get(_DATA_INDEX, NO_CREDENTIALS)
    if not index.is_of(entry):
        index = hass.data[_DATA_INDEX] = Index.of(entry, index)
    return index


@callback
def async_get_entry(hass: HomeAssistant) -> ConfigEntry | None:
    """Return the config entry that holds the credentials, None before the first credential.

    There is one; of more than that, which only a damaged store has, it is the oldest.
    """
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
    return [read.subentry for read in _async_index(hass).by_domain.get(domain, [])]


@callback
def async_get_stored(hass: HomeAssistant, domain: str) -> list[StoredCredential]:
    """Return an integration's credentials, oldest first."""
    return [read.stored for read in _async_index(hass).by_domain.get(domain, [])]


@callback
def async_get_stored_by_key(hass: HomeAssistant, key: Key) -> StoredCredential | None:
    """Return a credential, None where there is none."""
    read = _async_index(hass).by_key.get(key)
    return read.stored if read else None


@callback
def async_get_all_stored(hass: HomeAssistant) -> dict[Key, StoredCredential]:
    """Return all credentials."""
    return {key: read.stored for key, read in _async_index(hass).by_key.items()}


@callback
def async_get_all_subentries(hass: HomeAssistant) -> Mapping[str, ConfigSubentry]:
    """Return the subentries with all credentials, by their ids, oldest first."""
    return _async_index(hass).sound


@callback
def async_get_damaged(hass: HomeAssistant) -> dict[str, ConfigSubentry]:
    """Return the subentries that should be credentials and are damaged, by their ids."""
    entry, sound = async_get_entry(hass), async_get_all_subentries(hass)
    if entry is None or len(entry.subentries) == len(sound):
        return {}
    return {
        subentry.subentry_id: subentry
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE)
        if subentry.subentry_id not in sound
    }


@callback
def async_forget(hass: HomeAssistant) -> None:
    """Forget the subentries of an entry that was removed."""
    hass.data.pop(_DATA_INDEX, None)
    hass.data.pop(_DATA_TITLES, None)


@callback
def async_find_subentry(
    hass: HomeAssistant,
    domain: str,
    client_id: str,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> ConfigSubentry | None:
    """Return the subentry with an integration's client, None where there is none.

    Args:
        hass: Home Assistant.
        domain: The integration.
        client_id: The client id.
        variables: The values of the server's variables: the same client id is another client there.
    """
    return next(
        (
            subentry
            for subentry in async_get_subentries(hass, domain)
            if subentry.data[CONF_CLIENT_ID] == client_id
            and subentry.data.get(CONF_VARIABLES, {}) == variables
        ),
        None,
    )


@callback
def async_get_by_key(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Return the subentry of a credential, None where there is none."""
    read = _async_index(hass).by_key.get(key)
    return read.subentry if read else None


@callback
def async_new_subentry(
    hass: HomeAssistant,
    integration: Integration,
    credential: DeveloperCredential,
    *,
    auth_domain: str | None = None,
) -> ConfigSubentryData:
    """Return the subentry for a new credential, with an `auth_domain` that no other one has.

    A damaged one of the same client gives its `auth_domain` to the new one.

    Args:
        hass: Home Assistant.
        integration: The integration that the credential is for.
        credential: The credential.
        auth_domain: The one to have if it is free; made from domain and client id by default.
    """
    domain = integration.domain
    unique_id = unique_id_of(domain, credential)
    if damaged := _async_find_damaged(hass, unique_id):
        before = damaged.data.get(CONF_AUTH_DOMAIN)
        auth_domain = before if isinstance(before, str) else auth_domain
    # It may be another integration's text, and has to be one that can be stored.
    wanted = join_surrogates(auth_domain or "") or slugify(f"{domain}.{credential.client_id}")
    return ConfigSubentryData(
        data={
            CONF_DOMAIN: domain,
            CONF_AUTH_DOMAIN: async_free_auth_domain(hass, domain, wanted),
            **data_of(credential),
        },
        subentry_type=SUBENTRY_TYPE,
        title=_async_title_of(hass, integration.name, credential),
        unique_id=unique_id,
    )


@callback
def async_free_auth_domain(hass: HomeAssistant, domain: str, wanted: str) -> str:
    """Return an `auth_domain` that no credential of the integration has."""
    taken = _async_index(hass).by_key
    auth_domain, number = wanted, 1
    while (domain, auth_domain) in taken:
        number += 1
        auth_domain = f"{wanted}_{number}"
    return auth_domain


@callback
def _async_title_of(
    hass: HomeAssistant,
    integration: str,
    credential: DeveloperCredential,
    subentry: ConfigSubentry | None = None,
) -> str:
    """Return the title for a credential, None for the subentry of a new one."""
    taken = {one.title for one in async_get_all_subentries(hass).values() if one is not subentry}
    return title_of(integration, credential.name, taken, subentry.title if subentry else None)


@callback
def _async_find_damaged(hass: HomeAssistant, unique_id: str | None) -> ConfigSubentry | None:
    return next(
        (one for one in async_get_damaged(hass).values() if one.unique_id == unique_id), None
    )


@callback
def async_make_way(hass: HomeAssistant, unique_id: str | None) -> None:
    """Remove a damaged credential whose place another one is to take."""
    if damaged := _async_find_damaged(hass, unique_id):
        async_remove_subentry(hass, damaged)


@callback
def async_add_subentry(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentryData
) -> ConfigSubentry:
    """Add a subentry to the config entry, and return it.

    Raises:
        AbortFlow: The integration has a credential of this client already.
    """
    async_make_way(hass, subentry["unique_id"])
    added = ConfigSubentry(
        data=MappingProxyType(dict(subentry["data"])),
        subentry_type=subentry["subentry_type"],
        title=subentry["title"],
        unique_id=subentry["unique_id"],
    )
    hass.config_entries.async_add_subentry(entry, added)
    return added


@callback
def async_remove_subentry(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Remove a subentry, damaged or not."""
    entry, *_ = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


@callback
def async_update_subentry(
    hass: HomeAssistant,
    subentry: ConfigSubentry,
    data: Mapping[str, Any],
    title: str,
    unique_id: str | None,
) -> None:
    """Change a subentry in one step.

    Raises:
        AbortFlow: Another one has the unique id.
    """
    entry, *_ = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    titles, before = hass.data.setdefault(_DATA_TITLES, {}), subentry.title
    # It is not the user who has given it the title.
    titles[subentry.subentry_id] = title
    try:
        hass.config_entries.async_update_subentry(
            entry, subentry, data=data, title=title, unique_id=unique_id
        )
    except AbortFlow:
        titles[subentry.subentry_id] = before
        raise


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
    is another one, or its server is, the entries have to log in again, since a refresh token
    belongs to a client (RFC 6749, section 6).

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
    unique_id = unique_id_of(integration.domain, credential)
    async_make_way(hass, unique_id)
    title = _async_title_of(hass, integration.name, credential, subentry)
    async_update_subentry(hass, subentry, data_of(credential, subentry.data), title, unique_id)
    for user in async_get_users(hass, subentry):
        if credential.identity != before.identity:
            if user is not attended:
                async_start_reauth(hass, user)
        elif user.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}:
            hass.config_entries.async_schedule_reload(user.entry_id)


@callback
def async_adopt_titles(hass: HomeAssistant) -> None:
    """Let credentials have the names that were given in the list since the call before."""
    before, subentries = hass.data.get(_DATA_TITLES, {}), async_get_all_subentries(hass)
    now = {subentry_id: subentry.title for subentry_id, subentry in subentries.items()}
    hass.data[_DATA_TITLES] = now
    for subentry_id in [one for one, title in now.items() if before.get(one, title) != title]:
        _async_adopt_title(hass, subentries[subentry_id], before[subentry_id])


@callback
def _async_adopt_title(hass: HomeAssistant, subentry: ConfigSubentry, before: str) -> None:
    credential, title = credential_of(subentry), before
    integration = integration_in(before, stored_of(subentry).credential.name)
    with suppress(IntegrationNotLoaded):
        integration = async_get_loaded_integration(hass, subentry.data[CONF_DOMAIN]).name
    if name := name_in(subentry.title, integration):
        credential, title = replace(credential, name=name), plain_line(subentry.title)
    if name and integration:
        # The user may have left it out.
        title = _async_title_of(hass, integration, credential, subentry)
    data = data_of(credential, subentry.data)
    async_update_subentry(hass, subentry, data, title, subentry.unique_id)


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
