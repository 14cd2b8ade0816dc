"""The platform of an integration whose server has the name of the user's tenant in its URLs."""

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import AuthorizationServer, ServerVariable


async def async_get_authorization_server(hass: HomeAssistant) -> AuthorizationServer:
    """Return the authorization server; the credential form asks for the tenant."""
    return AuthorizationServer(
        authorize_url="https://{tenant}.cloud.example/authorize",
        token_url="https://{tenant}.cloud.example/token",
        variables=[ServerVariable("tenant", "Tenant", pattern="[a-z0-9-]+")],
    )
