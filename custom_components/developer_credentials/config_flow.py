"""This integration's flows: add a credential.

The config flow (Add integration) and the subentry flow (Add credential) share their steps: choose
the integration, then fill in the form. The import flow makes the config entry itself.
"""

from abc import abstractmethod
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.loader import Integration, async_get_integration
import voluptuous as vol

from .const import DEVELOPER_GUIDE_URL, DOMAIN
from .credentials import (
    SUBENTRY_TYPE,
    async_add_subentry,
    async_find_subentry,
    async_get_or_create_entry,
    async_new_subentry,
)
from .models import DeveloperCredential
from .platform import async_get_integrations

CREDENTIAL_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_NAME): TextSelector(),
        vol.Required(CONF_CLIENT_ID): TextSelector(),
        vol.Optional(CONF_CLIENT_SECRET): TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD)
        ),
    }
)


class _AddCredentialSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The steps that add a credential."""

    _domain: str

    @abstractmethod
    async def _async_save(
        self, integration: Integration, credential: DeveloperCredential
    ) -> ResultT:
        """Save the credential and finish the flow."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Choose the integration that the credential is for."""
        integrations = await async_get_integrations(self.hass)
        if not integrations:
            return self.async_abort(
                reason="no_integrations", description_placeholders={"url": DEVELOPER_GUIDE_URL}
            )
        if user_input is None and len(integrations) > 1:
            options = [
                SelectOptionDict(value=domain, label=integration.name)
                for domain, integration in integrations.items()
            ]
            selector = SelectSelector(
                SelectSelectorConfig(
                    options=sorted(options, key=lambda option: option["label"].casefold()),
                    mode=SelectSelectorMode.DROPDOWN,
                )
            )
            return self.async_show_form(
                step_id="user", data_schema=vol.Schema({vol.Required(CONF_DOMAIN): selector})
            )
        self._domain = user_input[CONF_DOMAIN] if user_input else next(iter(integrations))
        return await self.async_step_credential()

    async def async_step_credential(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Fill in the credential."""
        errors: dict[str, str] = {}
        integration = await async_get_integration(self.hass, self._domain)
        if user_input is not None:
            try:
                credential = DeveloperCredential(
                    user_input[CONF_CLIENT_ID],
                    user_input.get(CONF_CLIENT_SECRET, ""),
                    user_input.get(CONF_NAME),
                )
            except ValueError:
                errors[CONF_CLIENT_ID] = "client_id_empty"
            else:
                if async_find_subentry(self.hass, self._domain, credential.client_id) is None:
                    return await self._async_save(integration, credential)
                errors[CONF_CLIENT_ID] = "already_configured"
        # The secret goes in, and never out again.
        known = {
            key: value for key, value in (user_input or {}).items() if key != CONF_CLIENT_SECRET
        }
        return self.async_show_form(
            step_id="credential",
            data_schema=self.add_suggested_values_to_schema(CREDENTIAL_SCHEMA, known),
            description_placeholders={"integration": integration.name},
            errors=errors,
        )


class DeveloperCredentialsConfigFlow(
    _AddCredentialSteps[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow, domain=DOMAIN
):
    """Add a credential from "Add integration"; the first one makes the config entry."""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the one type of subentries."""
        return {SUBENTRY_TYPE: CredentialSubentryFlow}

    async def async_step_import(self, _: None = None) -> ConfigFlowResult:
        """Make the config entry, for the first credential or for YAML."""
        return self.async_create_entry(title="Developer Credentials", data={})

    @override
    async def _async_save(
        self, integration: Integration, credential: DeveloperCredential
    ) -> ConfigFlowResult:
        entry = await async_get_or_create_entry(self.hass)
        subentry = async_new_subentry(self.hass, integration, credential)
        async_add_subentry(self.hass, entry, subentry)
        return self.async_abort(
            reason="credential_added", description_placeholders={"title": subentry["title"]}
        )


class CredentialSubentryFlow(
    _AddCredentialSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    ConfigSubentryFlow,
):
    """Add a credential from the config entry."""

    @override
    async def _async_save(
        self, integration: Integration, credential: DeveloperCredential
    ) -> SubentryFlowResult:
        subentry = async_new_subentry(self.hass, integration, credential)
        return self.async_create_entry(
            title=subentry["title"], data=subentry["data"], unique_id=subentry["unique_id"]
        )
