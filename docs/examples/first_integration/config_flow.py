"""The config flow of Acme."""

from typing import Any, override

from custom_components.developer_credentials import (
    Account,
    DeveloperCredentialsFlowHandler,
    account_from_jwt,
)


class AcmeFlowHandler(DeveloperCredentialsFlowHandler, domain="acme"):
    """Log in at Acme."""

    @override
    async def async_get_account(self, data: dict[str, Any]) -> Account:
        """Return the account that has logged in, as the ID token says."""
        return account_from_jwt(data["token"]["id_token"])
