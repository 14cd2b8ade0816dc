"""The server, for those who have Developer Credentials, which alone imports this file."""

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import AuthorizationServer


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server."""
    return AuthorizationServer(
        authorize_url="https://cloud.example/authorize",
        token_url="https://cloud.example/token",
        revocation_url="https://cloud.example/revoke",
    )
