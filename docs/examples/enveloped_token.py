"""The platform of an integration whose server puts each token into an envelope."""

from typing import Any, override

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)


class EnvelopeImplementation(AuthImplementation):
    """Takes the token out of its envelope."""

    @override
    async def _token_request(self, data: dict[str, str]) -> dict[str, Any]:
        """Return the fields of the token, for a code as well as for a refresh token."""
        answer = await super()._token_request(data)
        envelope = answer.get("body")
        return envelope if isinstance(envelope, dict) else answer


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: DeveloperCredential
) -> AuthImplementation:
    """Return the implementation for a credential."""
    server = AuthorizationServer(
        authorize_url="https://cloud.example/authorize",
        token_url="https://cloud.example/token",
        token_params={"action": "requesttoken"},
    )
    return EnvelopeImplementation(hass, auth_domain, credential, server)
