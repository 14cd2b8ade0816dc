"""Who uses an application credential: the config entries, and by which name."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..credentials.store import async_get_users_of
from .collection import ApplicationCredential, async_get_application_credentials
from .peer_platform import async_ask_platform, async_get_given


@callback
def async_get_application_credential_users(
    hass: HomeAssistant, application_credential: ApplicationCredential
) -> list[ConfigEntry]:
    """Return the integration's config entries that use an application credential.

    They name its `auth_domain`; or what the implementation calls itself that the integration makes
    of it, which is learned by `async_learn_users`. Of several of one name, as those of a YAML whose
    client id was changed, Home Assistant takes the last one.

    Args:
        hass: Home Assistant.
        application_credential: The application credential; it may have been deleted.
    """
    return [
        user
        for name in _names(hass, application_credential)
        if _is_in_force(hass, application_credential, name)
        for user in async_get_users_of(hass, application_credential.domain, name)
    ]


def _names(hass: HomeAssistant, application_credential: ApplicationCredential) -> list[str]:
    """Return its `auth_domain`, and what its implementation calls itself."""
    client_id = application_credential.credential.client_id
    given = async_get_given(hass, application_credential.domain, client_id)
    name, own = application_credential.auth_domain, given.auth_domain if given else None
    return [name] if own is None or own == name else [name, own]


@callback
def _is_in_force(
    hass: HomeAssistant, application_credential: ApplicationCredential, name: str
) -> bool:
    """Return whether it is the last one whose implementation has a name."""
    same_name = [
        one.item_id
        for one in async_get_application_credentials(hass).values()
        if one.domain == application_credential.domain and name in _names(hass, one)
    ]
    return not same_name or same_name[-1] == application_credential.item_id


async def async_learn_users(
    hass: HomeAssistant, application_credential: ApplicationCredential
) -> None:
    """Learn by which name entries use an application credential; never raises."""
    domain, credential = application_credential.domain, application_credential.credential
    if async_get_given(hass, domain, credential.client_id) is None:
        await async_ask_platform(hass, domain, credential)
