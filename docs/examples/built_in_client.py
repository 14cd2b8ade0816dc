"""The config flow of an integration that brings a client of its own, a public one."""

from typing import Any, Final, override

from homeassistant.config_entries import ConfigFlowResult

from custom_components.developer_credentials import (
    DeveloperCredential,
    DeveloperCredentialsFlowHandler,
    async_import_developer_credential,
)

DOMAIN: Final = "acme"
BUILT_IN: Final = DeveloperCredential("home-assistant-at-acme")


class AcmeFlowHandler(DeveloperCredentialsFlowHandler, domain=DOMAIN):
    """Log in at Acme, with the built-in client or with one that the user brings."""

    @override
    async def async_step_pick_implementation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Have the built-in client among those to pick from; with it alone nothing is asked."""
        await async_import_developer_credential(self.hass, DOMAIN, BUILT_IN, from_yaml=False)
        return await super().async_step_pick_implementation(user_input)
