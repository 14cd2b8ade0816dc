"""The OAuth2 server of Plain Cloud."""

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import AuthorizationServer

from .const import BASE_URL


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server of Plain Cloud."""
    return AuthorizationServer(authorize_url=f"{BASE_URL}/authorize", token_url=f"{BASE_URL}/token")
