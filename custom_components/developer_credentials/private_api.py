"""What Home Assistant keeps for itself and is used here: the one file with private API.

`application_credentials` keeps its collection in `hass.data`, and refuses updates. The frontend
keeps each user's language; the OAuth2 helper its providers, and how it makes token requests.
Whatever is not as it is known here is left alone: what depends on it is not offered, and that is
told once.
"""

from collections.abc import Awaitable, Callable
import inspect
from typing import Final, cast

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_entry_oauth2_flow
from homeassistant.helpers.collection import DictStorageCollection
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
)
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER, PEER

type ImplementationProvider = Callable[
    [HomeAssistant, str], Awaitable[list[AbstractOAuth2Implementation]]
]

_DATA_COLLECTION: Final[HassKey[DictStorageCollection]] = HassKey(PEER)
# What was told not to be as it is known.
_DATA_TOLD: HassKey[set[str]] = HassKey(f"{DOMAIN}_private_api")


@callback
def async_get_unknown(hass: HomeAssistant) -> set[str]:
    """Return what of Home Assistant was found not to be as it is known here, for diagnostics."""
    return hass.data.setdefault(_DATA_TOLD, set())


@callback
def _async_tell(hass: HomeAssistant, what: str, effect: str) -> None:
    """Log once that something is not as it is known, and what that means."""
    if what not in (told := async_get_unknown(hass)):
        told.add(what)
        LOGGER.warning("This version of Home Assistant has another %s: %s", what, effect)


@callback
def async_is_set_up(hass: HomeAssistant) -> bool:
    """Return whether `application_credentials` is set up."""
    return _DATA_COLLECTION in hass.data


@callback
def async_get_collection(hass: HomeAssistant) -> DictStorageCollection | None:
    """Return the collection of application credentials; None without it, or where it is another."""
    collection = hass.data.get(_DATA_COLLECTION)
    if (
        isinstance(collection, DictStorageCollection)
        and isinstance(getattr(collection, "data", None), dict)
        and hasattr(collection, "_async_schedule_save")
        and hasattr(collection, "notify_changes")
        and hasattr(getattr(collection, "id_manager", None), "has_id")
    ):
        return collection
    if async_is_set_up(hass):
        _async_tell(
            hass, "collection of application credentials", "these are not looked after or edited"
        )
    return None


@callback
def async_schedule_save(collection: DictStorageCollection) -> None:
    """Have a collection saved soon."""
    collection._async_schedule_save()  # noqa: SLF001 - see above


async def async_get_language_of(hass: HomeAssistant, user_id: str) -> str | None:
    """Return the language that a user has chosen in the frontend; None where that is not known."""
    if "frontend" not in hass.config.components:
        # It is not there on every instance.
        return None
    try:
        from homeassistant.components.frontend.storage import (  # noqa: PLC0415 - see above
            async_user_store,
        )

        stored = (await async_user_store(hass, user_id)).data.get("language")
    except Exception:  # noqa: BLE001 - a form in another language is better than none
        _async_tell(hass, "storage of the frontend", "dialogs are in the system's language")
        return None
    language = stored.get("language") if isinstance(stored, dict) else None
    return language if isinstance(language, str) else None


@callback
def async_get_current_step(hass: HomeAssistant, flow_id: str) -> object | None:
    """Return the object that is the current step of a config flow; None where it cannot be told.

    Home Assistant makes a new one whenever somebody opens the flow, or goes on with it.
    """
    flows = getattr(hass.config_entries.flow, "_progress", None)
    flow = flows.get(flow_id) if isinstance(flows, dict) else None
    if not isinstance(flows, dict) or (flow and not hasattr(flow, "cur_step")):
        _async_tell(hass, "list of flows", "logins that cannot help stay")
        return None
    step: object | None = getattr(flow, "cur_step", None)
    return step


@callback
def async_get_implementation_provider(
    hass: HomeAssistant, domain: str
) -> ImplementationProvider | None:
    """Return what provides the implementations of a component; None without it."""
    key = getattr(config_entry_oauth2_flow, "DATA_PROVIDERS", "")
    providers = hass.data.get(key)
    provider = providers.get(domain) if isinstance(providers, dict) else None
    if callable(provider):
        return cast("ImplementationProvider", provider)
    if domain in hass.config.components:
        _async_tell(hass, "registry of OAuth2 providers", "no implementation is adopted")
    return None


@callback
def async_is_token_request_known(hass: HomeAssistant) -> bool:
    """Return whether Home Assistant makes token requests where that is known here."""
    request = getattr(LocalOAuth2Implementation, "_token_request", None)
    refresh = getattr(LocalOAuth2Implementation, "_async_refresh_token", None)
    if _parameters(request) == ["self", "data"] and _parameters(refresh) == ["self", "token"]:
        return True
    _async_tell(hass, "way to make token requests", "no implementation is adopted")
    return False


def _parameters(function: object) -> list[str]:
    """Return the names of a coroutine function's parameters; none for anything else."""
    return (
        list(inspect.signature(function).parameters)
        if inspect.iscoroutinefunction(function)
        else []
    )
