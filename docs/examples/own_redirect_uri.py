"""The platform of an integration whose client belongs to the provider's own application."""

from dataclasses import replace
from typing import override

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)


class AppImplementation(AuthImplementation):
    """Logs in as the provider's application does."""

    @property
    @override
    def redirect_uri(self) -> str:
        """The redirect URI that is registered for the application."""
        return "acme://login"


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: DeveloperCredential
) -> AuthImplementation:
    """Return the implementation; the client that the user has entered is not used."""
    server = AuthorizationServer(
        authorize_url="https://cloud.example/authorize", token_url="https://cloud.example/token"
    )
    client = replace(credential, client_id="the-application", client_secret="")
    return AppImplementation(hass, auth_domain, client, server)
