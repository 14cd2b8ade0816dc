"""The OAuth2 server of Peer Cloud, for Home Assistant's application credentials."""

from homeassistant.components.application_credentials import AuthorizationServer
from homeassistant.core import HomeAssistant

from .const import BASE_URL


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server of Peer Cloud."""
    return AuthorizationServer(authorize_url=f"{BASE_URL}/authorize", token_url=f"{BASE_URL}/token")


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the translation `application_credentials.description` interpolates."""
    return {
        "console_url": f"{BASE_URL}/console",
        "redirect_url": "https://my.home-assistant.io/redirect/oauth",
    }
