"""The config flow, on whichever base class there is."""

from collections.abc import Mapping
import logging
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult

if TYPE_CHECKING:
    from custom_components.developer_credentials import (
        DeveloperCredentialsFlowHandler as FlowHandler,
    )
else:
    try:
        from custom_components.developer_credentials import (
            DeveloperCredentialsFlowHandler as FlowHandler,
        )
    except ImportError:
        from homeassistant.helpers.config_entry_oauth2_flow import (
            AbstractOAuth2FlowHandler as FlowHandler,
        )


class AcmeFlowHandler(FlowHandler, domain="acme"):
    """Log in at Acme. What Home Assistant's class lacks stands here until the next release."""

    DOMAIN = "acme"

    @property
    @override
    def logger(self) -> logging.Logger:
        """The logger that the base class writes to."""
        return logging.getLogger(__name__)

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry of the account, or give a known one its new token."""
        await self.async_set_unique_id(data["token"]["account"])
        if self.source == SOURCE_REAUTH:
            self._abort_if_unique_id_mismatch(reason="wrong_account")
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data_updates=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=data["token"]["account"], data=data)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to log in again."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the user to log in again."""
        if user_input is None:
            return self.async_show_form(step_id="reauth_confirm")
        return await self.async_step_user()
