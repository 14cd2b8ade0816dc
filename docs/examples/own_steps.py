"""The config flow of an integration that asks something before the login."""

from typing import Any, ClassVar, override

from homeassistant.config_entries import ConfigFlowResult
import voluptuous as vol

from custom_components.developer_credentials import Account, DeveloperCredentialsFlowHandler


class AcmeFlowHandler(DeveloperCredentialsFlowHandler, domain="acme"):
    """Ask for the home, then log in; without a credential, ask for that in between."""

    kept_attributes: ClassVar[tuple[str, ...] | None] = ("_home",)
    _home: str

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the home."""
        if user_input is None:
            schema = vol.Schema({vol.Required("home"): str})
            return self.async_show_form(step_id="user", data_schema=schema)
        self._home = user_input["home"]
        return await self.async_step_pick_implementation()

    @override
    async def async_get_account(self, data: dict[str, Any]) -> Account:
        """Return the account, which is the home."""
        return Account(self._home)
