"""The platform of an integration whose server describes itself."""

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import (
    AuthorizationServer,
    async_discover_authorization_server,
)


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server, as it describes itself."""
    return await async_discover_authorization_server(
        hass, "https://cloud.example", scopes=["account"]
    )
