"""The platform of an integration that has read client id and secret from its own YAML."""

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential

# What `async_setup` of the integration has found under its key.
YAML: HassKey[dict[str, str]] = HassKey("acme_yaml")


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server."""
    return AuthorizationServer(
        authorize_url="https://cloud.example/authorize", token_url="https://cloud.example/token"
    )


async def async_get_developer_credential(hass: HomeAssistant) -> DeveloperCredential | None:
    """Return the credential of the YAML, where there is one."""
    if not (yaml := hass.data.get(YAML)):
        return None
    return DeveloperCredential(yaml[CONF_CLIENT_ID], yaml[CONF_CLIENT_SECRET])
