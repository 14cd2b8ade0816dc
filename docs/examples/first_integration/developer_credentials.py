"""The OAuth2 server of Acme."""

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import AuthorizationServer


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server of Acme."""
    return AuthorizationServer(
        authorize_url="https://cloud.example/authorize",
        token_url="https://cloud.example/token",
        scopes=["openid", "profile"],
        revocation_url="https://cloud.example/revoke",
    )
