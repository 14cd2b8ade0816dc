"""The OAuth2 server of Demo Cloud; the user's own client id and secret go with it."""

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import AuthorizationServer

from .const import BASE_URL


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server of Demo Cloud."""
    return AuthorizationServer(
        authorize_url=f"{BASE_URL}/authorize",
        token_url=f"{BASE_URL}/token",
        scopes=["account"],
        pkce=True,
        revocation_url=f"{BASE_URL}/revoke",
    )


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the translation `application_credentials.description` interpolates."""
    return {"console_url": f"{BASE_URL}/console"}
