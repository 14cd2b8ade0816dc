"""Config flow of Demo Cloud: log in, read which account it is, done."""

from typing import Any, override

from custom_components.developer_credentials import Account, DeveloperCredentialsFlowHandler

from .api import async_get_account
from .const import DOMAIN


class DemoCloudFlowHandler(DeveloperCredentialsFlowHandler, domain=DOMAIN):
    """Log in at Demo Cloud with the user's developer credential."""

    @override
    async def async_get_account(self, data: dict[str, Any]) -> Account:
        """Return the account that has logged in."""
        account = await async_get_account(self.hass, data["token"])
        return Account(account.account_id, account.name)
