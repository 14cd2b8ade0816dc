"""The platform of an integration whose server puts each token into an envelope."""

from typing import Any, override

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
    InvalidClientError,
    InvalidGrantError,
    TokenRequestError,
)

# What the server's own codes mean.
ERRORS: dict[int, type[TokenRequestError]] = {401: InvalidClientError, 503: InvalidGrantError}


class EnvelopeImplementation(AuthImplementation):
    """Takes the token out of its envelope."""

    @override
    async def _token_request(self, data: dict[str, str]) -> dict[str, Any]:
        """Return the fields of the token, for a code as well as for a refresh token."""
        answer = await super()._token_request(data)
        if kind := ERRORS.get(answer["status"]):
            raise self.token_request_error(kind, str(answer["status"]))
        token: dict[str, Any] = answer["body"]
        return token


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
