"""Home Assistant's own application credentials: edited in place, and taken over.

The only file that touches them. What `application_credentials` keeps has no public API for this:
its collection stands in `hass.data`, and refuses updates. Where it is not as it is known here,
nothing is offered, and nothing else is different.

An item is replaced in the collection under its id, in one step: it is never absent, and what
protects it, that its id is the `auth_implementation` of the entries that use it, stays.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import (
    CONF_CLIENT_ID,
    CONF_CLIENT_SECRET,
    CONF_DOMAIN,
    CONF_ID,
    CONF_NAME,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.collection import (
    CHANGE_UPDATED,
    CollectionChange,
    DictStorageCollection,
)
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
from homeassistant.loader import Integration, async_get_integration
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..credentials.store import (
    CONF_AUTH_DOMAIN,
    async_add_subentry,
    async_find_subentry,
    async_get_by_key,
    async_get_entry,
    async_get_or_create_entry,
    async_get_users_of,
    async_new_subentry,
    async_start_reauth,
)
from ..oauth2.server import AuthorizationServer, DeveloperCredential
from ..oauth2.single_flight import async_join
from ..platform import async_get_integrations

# In our entry's data: the ids of the items that were taken over, each once.
CONF_TAKEN_OVER: Final = "taken_over"

_DATA_COLLECTION: HassKey[DictStorageCollection] = HassKey(PEER)
# The integrations whose items were looked at since the start.
_DATA_LOOKED_AT: HassKey[set[str]] = HassKey(f"{DOMAIN}_taken_over")


@dataclass(frozen=True, slots=True)
class ApplicationCredential:
    """An application credential of Home Assistant.

    Attributes:
        item_id: Its id there.
        domain: The integration that it is for.
        auth_domain: What the integration's entries have as their `auth_implementation`.
        credential: Client id, secret and name.
    """

    item_id: str
    domain: str
    auth_domain: str
    credential: DeveloperCredential


@callback
def async_get_application_credentials(hass: HomeAssistant) -> dict[str, ApplicationCredential]:
    """Return the application credentials that can be read, by their ids."""
    found = {item_id: _parse(item) for item_id, item in _items(hass).items()}
    return {item_id: parsed for item_id, parsed in found.items() if parsed}


async def async_get_editable_application_credentials(
    hass: HomeAssistant,
) -> dict[str, ApplicationCredential]:
    """Return those that are in force: not those of integrations that moved to our platform."""
    moved = {
        domain
        for domain, integration in (await async_get_integrations(hass)).items()
        if not integration.platforms_exists((PEER,))
    }
    return {
        item_id: one
        for item_id, one in async_get_application_credentials(hass).items()
        if one.domain not in moved
    }


def _parse(item: dict[str, Any]) -> ApplicationCredential | None:
    """Return what an item says, None where it cannot be read."""
    try:
        return ApplicationCredential(
            item[CONF_ID],
            item[CONF_DOMAIN],
            item.get(CONF_AUTH_DOMAIN, item[CONF_ID]),
            DeveloperCredential(
                item[CONF_CLIENT_ID], item[CONF_CLIENT_SECRET], item.get(CONF_NAME)
            ),
        )
    except AttributeError, KeyError, TypeError, ValueError:
        return None


@callback
def _items(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return the items of the collection, none where it is another than the one known here."""
    collection = hass.data.get(_DATA_COLLECTION)
    if (
        isinstance(collection, DictStorageCollection)
        and isinstance(getattr(collection, "data", None), dict)
        and hasattr(collection, "_async_schedule_save")
        and hasattr(collection, "notify_changes")
    ):
        return collection.data
    return {}


@callback
def async_get_application_credential_users(
    hass: HomeAssistant, application_credential: ApplicationCredential
) -> list[ConfigEntry]:
    """Return the integration's config entries that use an application credential."""
    return async_get_users_of(
        hass, application_credential.domain, application_credential.auth_domain
    )


async def async_get_application_credential_server(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential
) -> AuthorizationServer | None:
    """Return the server that an integration declares there, None where that cannot be told."""
    try:
        from homeassistant.components.application_credentials import (  # noqa: PLC0415 - it may go
            ClientCredential,
        )

        integration = await async_get_integration(hass, domain)
        platform = await integration.async_get_platform(PEER)
        if not hasattr(platform, "async_get_auth_implementation"):
            server = await platform.async_get_authorization_server(hass)
            return AuthorizationServer(server.authorize_url, server.token_url)
        implementation = await platform.async_get_auth_implementation(
            hass, domain, ClientCredential(credential.client_id, credential.client_secret)
        )
    except Exception as err:  # noqa: BLE001 - whatever it is, the credential stays unverified
        LOGGER.debug("The server of %s is not known: %s", domain, type(err).__name__)
        return None
    if not isinstance(implementation, LocalOAuth2Implementation):
        return None
    try:
        return AuthorizationServer(implementation.authorize_url, implementation.token_url)
    except ValueError:
        return None


async def async_update_application_credential(
    hass: HomeAssistant,
    application_credential: ApplicationCredential,
    credential: DeveloperCredential,
) -> bool:
    """Change an application credential in place; return False where it is gone.

    Its id and the key that entries refer to stay. The entries that use it are reloaded, since they
    hold the old secret; with another client id they log in again.

    Args:
        hass: Home Assistant.
        application_credential: The one to change.
        credential: What it shall be.
    """
    items, item_id = _items(hass), application_credential.item_id
    if item_id not in items or (current := _parse(items[item_id])) is None:
        return False
    before = current.credential
    item = {
        **items[item_id],
        CONF_CLIENT_ID: credential.client_id,
        CONF_CLIENT_SECRET: credential.client_secret,
        CONF_NAME: credential.name,
    }
    if credential.name is None:
        del item[CONF_NAME]
    collection = hass.data[_DATA_COLLECTION]
    items[item_id] = item
    collection._async_schedule_save()  # noqa: SLF001 - see above
    await collection.notify_changes([CollectionChange(CHANGE_UPDATED, item_id, item)])
    if replace(before, name=credential.name) == credential:
        return True
    for user in async_get_application_credential_users(hass, application_credential):
        if credential.client_id != before.client_id:
            async_start_reauth(hass, user)
        elif user.state in _RELOADED:
            hass.config_entries.async_schedule_reload(user.entry_id)
    return True


_RELOADED: Final = {
    ConfigEntryState.LOADED,
    ConfigEntryState.SETUP_ERROR,
    ConfigEntryState.SETUP_RETRY,
}


async def async_take_over(hass: HomeAssistant, integration: Integration) -> None:
    """Take over the application credentials of an integration that has moved to our platform.

    It has moved where it has `application_credentials.py` no more. Each item is taken over once,
    with the key that the integration's entries refer to, and stays where it is: whoever installs an
    older version of the integration finds it there.
    """
    looked_at = hass.data.setdefault(_DATA_LOOKED_AT, set())
    if integration.domain in looked_at or integration.platforms_exists((PEER,)):
        return
    entry = async_get_entry(hass)
    if _DATA_COLLECTION not in hass.data or (entry and entry.disabled_by):
        return
    await async_join(
        hass, ("take over", integration.domain), lambda: _async_take_over(hass, integration)
    )
    looked_at.add(integration.domain)


async def _async_take_over(hass: HomeAssistant, integration: Integration) -> None:
    entry = async_get_entry(hass)
    taken_over = entry.data.get(CONF_TAKEN_OVER, []) if entry else []
    new = [
        one
        for item_id, one in async_get_application_credentials(hass).items()
        if one.domain == integration.domain and item_id not in taken_over
    ]
    if not new:
        return
    entry = await async_get_or_create_entry(hass)
    for one in new:
        key = one.domain, one.auth_domain
        known = async_find_subentry(hass, one.domain, one.credential.client_id)
        if known is None and async_get_by_key(hass, key) is None:
            subentry = async_new_subentry(
                hass, integration, one.credential, auth_domain=one.auth_domain
            )
            async_add_subentry(hass, entry, subentry)
            LOGGER.info("Took over the application credential %s", one.item_id)
    ids = [*entry.data.get(CONF_TAKEN_OVER, []), *(one.item_id for one in new)]
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_TAKEN_OVER: ids})
