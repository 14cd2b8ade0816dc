"""The collection that holds Home Assistant's own application credentials.

Where it is not as it is known here, there are no items, and nothing else is different.

An item is replaced under its id, in one step: it is never absent, and what protects it, that its id
is the `auth_implementation` of the entries that use it, stays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.const import (
    CONF_CLIENT_ID,
    CONF_CLIENT_SECRET,
    CONF_DOMAIN,
    CONF_ID,
    CONF_NAME,
    EVENT_COMPONENT_LOADED,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.collection import CHANGE_ADDED, CHANGE_UPDATED, CollectionChange
from homeassistant.setup import EventComponentLoaded

from ..const import LOGGER, PEER
from ..credentials.store import CONF_AUTH_DOMAIN
from ..oauth2.client import DeveloperCredential
from ..private_api import async_get_collection, async_schedule_save


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
    if (collection := async_get_collection(hass)) is None:
        return {}
    found = {item_id: parse_item(item) for item_id, item in collection.data.items()}
    return {item_id: parsed for item_id, parsed in found.items() if parsed}


def parse_item(item: Mapping[str, Any]) -> ApplicationCredential | None:
    """Return what an item says, None where it cannot be read."""
    try:
        item_id, domain = item[CONF_ID], item[CONF_DOMAIN]
        auth_domain = item.get(CONF_AUTH_DOMAIN, item_id)
        credential = DeveloperCredential(
            item[CONF_CLIENT_ID], item[CONF_CLIENT_SECRET], item.get(CONF_NAME)
        )
    except AttributeError, KeyError, TypeError, ValueError:
        return None
    # Home Assistant serves one whose auth_domain is empty.
    if not (item_id and domain) or not all(
        isinstance(text, str) for text in (item_id, domain, auth_domain)
    ):
        return None
    return ApplicationCredential(item_id, domain, auth_domain, credential)


async def async_replace_application_credential(
    hass: HomeAssistant, item_id: str, credential: DeveloperCredential
) -> ApplicationCredential | None:
    """Replace client id, secret and name of an item; return it as it was, None where it is gone.

    Args:
        hass: Home Assistant.
        item_id: The id of the item, which stays.
        credential: What it shall be.
    """
    collection = async_get_collection(hass)
    if collection is None or item_id not in collection.data:
        return None
    items = collection.data
    if (before := parse_item(items[item_id])) is None:
        return None
    item = {
        **items[item_id],
        CONF_CLIENT_ID: credential.client_id,
        CONF_CLIENT_SECRET: credential.client_secret,
        CONF_NAME: credential.name,
    }
    if credential.name is None:
        del item[CONF_NAME]
    items[item_id] = item
    async_schedule_save(collection)
    await collection.notify_changes([CollectionChange(CHANGE_UPDATED, item_id, item)])
    return before


@callback
def async_is_free(hass: HomeAssistant, item_id: str) -> bool:
    """Return whether an item could be restored under an id."""
    collection = async_get_collection(hass)
    return collection is not None and not collection.id_manager.has_id(item_id)


async def async_restore_application_credential(
    hass: HomeAssistant, item: Mapping[str, Any]
) -> bool:
    """Restore a deleted item under the id that it had; return False where that is not free.

    Args:
        hass: Home Assistant.
        item: The item as it was.
    """
    item_id, collection = item[CONF_ID], async_get_collection(hass)
    if collection is None or not async_is_free(hass, item_id):
        return False
    collection.data[item_id] = dict(item)
    async_schedule_save(collection)
    await collection.notify_changes(
        [CollectionChange(CHANGE_ADDED, item_id, collection.data[item_id])]
    )
    return True


@callback
def async_listen(
    hass: HomeAssistant, listener: Callable[[CollectionChange], None]
) -> CALLBACK_TYPE:
    """Have a listener hear of each item that is added, changed or deleted.

    It does not matter whether `application_credentials` is set up by now. Whatever the listener
    raises, who made the change does not notice.

    Args:
        hass: Home Assistant.
        listener: Called in the event loop, after the change.

    Returns:
        What ends it.
    """
    stop: CALLBACK_TYPE | None = None

    async def heard(change_type: str, item_id: str, item: dict[str, Any]) -> None:
        try:
            listener(CollectionChange(change_type, item_id, item))
        except Exception as err:  # noqa: BLE001 - it is raised in Home Assistant's own dialog else
            LOGGER.error("A change of an application credential was missed: %s", type(err).__name__)

    @callback
    def listen() -> None:
        nonlocal stop
        # Home Assistant says that it is loaded some time after it is there.
        if stop is None and (collection := async_get_collection(hass)):
            stop = collection.async_add_listener(heard)

    @callback
    def loaded(event: Event[EventComponentLoaded]) -> None:
        if event.data["component"] == PEER:
            listen()

    stop_waiting = hass.bus.async_listen(EVENT_COMPONENT_LOADED, loaded)
    listen()

    @callback
    def end() -> None:
        stop_waiting()
        if stop:
            stop()

    return end
