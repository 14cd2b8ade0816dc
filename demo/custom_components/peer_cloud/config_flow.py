"""Config flow of Peer Cloud: Home Assistant's own, and nothing else."""

from collections.abc import Mapping
import logging
from typing import Any, override

from aiohttp import ClientError
from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2FlowHandler,
    async_oauth2_request,  # pyright: ignore[reportUnknownVariableType] - its token is a bare dict
)

from .const import ACCOUNT_URL, DOMAIN


class PeerCloudFlowHandler(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Log in at Peer Cloud with an application credential."""

    DOMAIN = DOMAIN

    @property
    @override
    def logger(self) -> logging.Logger:
        """The logger that the base class writes to."""
        return logging.getLogger(__name__)

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry of the account, or give a known one its new token."""
        try:
            response = await async_oauth2_request(self.hass, data["token"], "get", ACCOUNT_URL)
            response.raise_for_status()
            account = await response.json()
        except ClientError:
            return self.async_abort(reason="cannot_connect")
        await self.async_set_unique_id(account["id"])
        if self.source == SOURCE_REAUTH:
            self._abort_if_unique_id_mismatch(reason="wrong_account")
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=account["name"], data=data)

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
