"""The platform of an integration whose server has no login page (RFC 6749, section 4.3)."""

import time
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)


class PasswordImplementation(AuthImplementation):
    """Logs in with a user name and a password."""

    async def async_log_in(self, username: str, password: str) -> dict[str, Any]:
        """Return the token for the data of an entry, in which it is refreshed like any other.

        Raises:
            TokenRequestError: There is none; the class says why.
        """
        grant = {"grant_type": "password", "username": username, "password": password}
        token = await self._token_request(grant)
        return {**token, "expires_at": time.time() + token["expires_in"]}


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: DeveloperCredential
) -> PasswordImplementation:
    """Return the implementation for a credential."""
    server = AuthorizationServer(authorize_url=None, token_url="https://cloud.example/token")
    return PasswordImplementation(hass, auth_domain, credential, server)
