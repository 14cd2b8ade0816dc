"""This integration's flows: add a credential, and edit it.

The config flow serves "Add integration", and other flows that ask for a credential, which are gone
on with afterwards. The subentry flow serves "Add credential" and the gear of each credential. The
import flow makes the config entry itself. The steps are those of `credential_form`.
"""

from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_DOMAIN
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.loader import IntegrationNotFound, async_get_integration

from .const import DOMAIN
from .credential_form import CredentialSteps
from .credential_request import CredentialRequest
from .credentials import (
    CONF_AUTH_DOMAIN,
    SUBENTRY_TYPE,
    async_add_subentry,
    async_get_entry,
    async_get_or_create_entry,
    async_get_subentries,
    async_new_subentry,
    async_update_credential,
)
from .instructions import escape_markdown
from .models import DeveloperCredential


class DeveloperCredentialsConfigFlow(
    CredentialSteps[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow, domain=DOMAIN
):
    """Add a credential from "Add integration", or on behalf of an integration's flow."""

    _request: CredentialRequest | None = None
    _saved = False

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
    async def async_step_user(
        self, user_input: dict[str, Any] | CredentialRequest | None = None
    ) -> ConfigFlowResult:
        """Begin, for the user or for another flow."""
        if (entry := async_get_entry(self.hass)) and entry.disabled_by:
            return self.async_abort(reason="entry_disabled")
        if not isinstance(user_input, CredentialRequest):
            return await super().async_step_user(user_input)
        return await self._async_step_request(user_input)

    @override
    async def async_step_integration_discovery(
        self, discovery_info: dict[str, Any]
    ) -> ConfigFlowResult:
        """Offer to add the credential that an integration was found to lack."""
        request = CredentialRequest(domain=discovery_info[CONF_DOMAIN])
        await self.async_set_unique_id(request.domain)
        self._abort_if_unique_id_configured()
        integration = await async_get_integration(self.hass, request.domain)
        self.context["title_placeholders"] = {"name": integration.name}
        return await self._async_step_request(request)

    @callback
    @override
    def async_remove(self) -> None:
        """Take up again the reauth that this flow was to serve, where the user has left it."""
        if self._request and not self._saved and self._request.context["source"] == SOURCE_REAUTH:
            entry_id = self._request.context["entry_id"]
            if entry := self.hass.config_entries.async_get_entry(entry_id):
                entry.async_start_reauth(self.hass)

    async def _async_step_request(self, request: CredentialRequest) -> ConfigFlowResult:
        self._request = request
        self._integration = await async_get_integration(self.hass, request.domain)
        if request.auth_domain is None:
            return await self.async_step_credential()
        self._subentry = next(
            (
                subentry
                for subentry in async_get_subentries(self.hass, request.domain)
                if subentry.data[CONF_AUTH_DOMAIN] == request.auth_domain
            ),
            None,
        )
        if self._subentry is None:
            return self.async_abort(reason="credential_gone")
        self._rejection = request.rejection
        return await self.async_step_edit()

    @override
    async def _async_save(self, credential: DeveloperCredential) -> ConfigFlowResult:
        entry = await async_get_or_create_entry(self.hass)
        self._saved = True
        if self._subentry:
            async_update_credential(self.hass, entry, self._subentry, self._integration, credential)
            auth_domain, title = self._subentry.data[CONF_AUTH_DOMAIN], self._subentry.title
        else:
            new = async_new_subentry(self.hass, self._integration, credential)
            async_add_subentry(self.hass, entry, new)
            auth_domain, title = new["data"][CONF_AUTH_DOMAIN], new["title"]
        return self.async_abort(
            reason="credential_saved",
            description_placeholders={"title": escape_markdown(title)},
            next_flow=await self._async_next_flow(auth_domain),
        )

    async def _async_next_flow(self, auth_domain: str) -> tuple[FlowType, str] | None:
        """Begin the integration's own flow with the credential; None where that asks nothing."""
        if not self._integration.config_flow:
            return None
        manager = self.hass.config_entries.flow
        context: ConfigFlowContext = {"source": SOURCE_USER}
        data = None
        if self._request:
            context = self._request.context
            if entry := self.hass.config_entries.async_get_entry(context.get("entry_id", "")):
                data = entry.data
        step = await manager.async_init(self._integration.domain, context=context, data=data)
        if step["type"] is FlowResultType.FORM and step["step_id"] == "pick_implementation":
            step = await manager.async_configure(step["flow_id"], {"implementation": auth_domain})
        if step["type"] in {FlowResultType.ABORT, FlowResultType.CREATE_ENTRY}:
            return None
        return FlowType.CONFIG_FLOW, step["flow_id"]


class CredentialSubentryFlow(
    CredentialSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    ConfigSubentryFlow,
):
    """Add or edit a credential from the config entry."""

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Begin to edit a credential."""
        self._subentry = self._get_reconfigure_subentry()
        try:
            self._integration = await async_get_integration(
                self.hass, self._subentry.data[CONF_DOMAIN]
            )
        except IntegrationNotFound:
            return self.async_abort(
                reason="integration_gone",
                description_placeholders={"domain": self._subentry.data[CONF_DOMAIN]},
            )
        return await self.async_step_edit()

    @override
    async def _async_save(self, credential: DeveloperCredential) -> SubentryFlowResult:
        if self._subentry:
            async_update_credential(
                self.hass, self._get_entry(), self._subentry, self._integration, credential
            )
            return self.async_abort(
                reason="credential_saved",
                description_placeholders={"title": escape_markdown(self._subentry.title)},
            )
        subentry = async_new_subentry(self.hass, self._integration, credential)
        return self.async_create_entry(
            title=subentry["title"], data=subentry["data"], unique_id=subentry["unique_id"]
        )
