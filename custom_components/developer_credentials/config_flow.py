"""This integration's flows: set it up, add a credential, and edit it.

The config flow serves "Add integration", and other flows that ask for a credential, which are gone
on with afterwards. Without the config entry it says what the integration does, and makes it; then
it adds credentials, and edits application credentials. The subentry flow serves "Add credential"
and the gear of each credential. The import flow makes the config entry itself. The steps are those
of `credential_steps`.
"""

from contextlib import suppress
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
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
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.loader import Integration, IntegrationNotFound, async_get_integration

from .const import DOMAIN, LOGGER
from .core_credentials.adding import async_find_application_credential
from .core_credentials.editing import async_get_editable_application_credentials
from .credentials.migration import MINOR_VERSION
from .credentials.rejection import async_insist
from .credentials.store import (
    CONF_AUTH_DOMAIN,
    SUBENTRY_TYPE,
    async_add_subentry,
    async_get_all_subentries,
    async_get_by_key,
    async_get_entry,
    async_get_or_create_entry,
    async_make_way,
    async_new_subentry,
    async_update_credential,
)
from .flows.credential_request import CredentialRequest, returning
from .flows.credential_steps import AddingSteps, EditingSteps
from .flows.credential_subject import NewPeerCredential, OwnCredential
from .flows.options_flow import OptionsFlow
from .oauth2.client import DeveloperCredential
from .plain_text import plain_line


class DeveloperCredentialsConfigFlow(  # pyright: ignore[reportIncompatibleMethodOverride] - theirs
    AddingSteps[ConfigFlowContext, ConfigFlowResult, str],
    EditingSteps[ConfigFlowContext, ConfigFlowResult, str],
    ConfigFlow,
    domain=DOMAIN,
):
    """Set this integration up; add and edit credentials, also for an integration's flow."""

    MINOR_VERSION = MINOR_VERSION

    _request: CredentialRequest | None = None

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the one type of subentries."""
        return {SUBENTRY_TYPE: CredentialSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow for what is done for application credentials."""
        return OptionsFlow()

    async def async_step_import(self, _: None = None) -> ConfigFlowResult:
        """Make the config entry, for the first credential or for YAML."""
        return self.async_create_entry(title="Developer Credentials", data={})

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | CredentialRequest | None = None
    ) -> ConfigFlowResult:
        """Begin, for the user or for another flow."""
        if isinstance(user_input, CredentialRequest):
            return await self._async_step_request(user_input)
        if (entry := async_get_entry(self.hass)) is None:
            return await self.async_step_set_up()
        if entry.disabled_by:
            return self.async_abort(reason="entry_disabled")
        if not await async_get_editable_application_credentials(self.hass):
            return await self.async_step_integration()
        return self.async_show_menu(
            step_id="user", menu_options=["integration", "application_credential"]
        )

    async def async_step_set_up(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what is done from now on; make the config entry, and offer what can be done next."""
        if user_input is None:
            return self.async_show_form(step_id="set_up")
        await async_get_or_create_entry(self.hass)
        return await self.async_step_next()

    async def async_step_next(self, _: None = None) -> ConfigFlowResult:
        """Offer what can be done now that this integration is set up."""
        options = ["integration", "application_credential", "finish"]
        if not await async_get_editable_application_credentials(self.hass):
            options.remove("application_credential")
        return self.async_show_menu(step_id="next", menu_options=options)

    async def async_step_finish(self, _: None = None) -> ConfigFlowResult:
        """End where there is nothing else to do."""
        return self.async_abort(reason="set_up")

    @override
    async def async_step_integration_discovery(
        self, discovery_info: dict[str, Any]
    ) -> ConfigFlowResult:
        """Offer to add the credential that an integration was found to lack."""
        request = CredentialRequest(domain=discovery_info[CONF_DOMAIN])
        await self.async_set_unique_id(request.domain)
        self._abort_if_unique_id_configured()
        # Account linking, or credentials of another kind, may serve the integration.
        with suppress(ImplementationUnavailableError):
            if await async_get_implementations(self.hass, request.domain):
                return self.async_abort(reason="already_configured")
        integration = await async_get_integration(self.hass, request.domain)
        self.context["title_placeholders"] = {"name": plain_line(integration.name)}
        return await self._async_step_request(request)

    @callback
    @override
    def async_remove(self) -> None:
        """Take up again the reauth that this flow was to serve, unless it has led on to it."""
        if (
            self._request
            and self._request.is_needed
            and (entry := self._requested_entry(SOURCE_REAUTH))
        ):
            # Where it has, that is in progress, and Home Assistant starts no other one.
            entry.async_start_reauth(self.hass)

    @callback
    def _requested_entry(self, source: str) -> ConfigEntry | None:
        """Return the integration's entry that a flow of this source is for, None without one."""
        context = self._request.context if self._request else {}
        if context.get("source") != source:
            return None
        return self.hass.config_entries.async_get_entry(context.get("entry_id", ""))

    async def _async_step_request(self, request: CredentialRequest) -> ConfigFlowResult:
        if (entry := async_get_entry(self.hass)) and entry.disabled_by:
            return self.async_abort(reason="entry_disabled")
        self._request = request
        integration = await async_get_integration(self.hass, request.domain)
        if request.auth_domain is None:
            self._subject = OwnCredential(self.hass, integration)
            return await self.async_step_credential()
        subentry = async_get_by_key(self.hass, (request.domain, request.auth_domain))
        if subentry is None:
            return self.async_abort(reason="credential_gone")
        self._subject = OwnCredential(self.hass, integration, subentry)
        if request.outcome:
            self._rejection = request.outcome, request.rejection
        return await self.async_step_edit()

    @override
    async def _async_save(
        self, subject: OwnCredential, credential: DeveloperCredential
    ) -> ConfigFlowResult:
        entry, before = await async_get_or_create_entry(self.hass), subject.stored
        if subject.subentry:
            async_update_credential(
                self.hass,
                subject.subentry,
                subject.integration,
                credential,
                # This one goes on to its reauth in the same dialog.
                attended=self._requested_entry(SOURCE_REAUTH),
            )
            auth_domain, title = subject.subentry.data[CONF_AUTH_DOMAIN], subject.subentry.title
        else:
            new = async_new_subentry(self.hass, subject.integration, credential)
            async_add_subentry(self.hass, entry, new)
            auth_domain, title = new["data"][CONF_AUTH_DOMAIN], new["title"]
        if credential.objection:
            # The user has just said so; the next login is verified first again.
            async_insist(self.hass, (subject.integration.domain, auth_domain))
        if (
            self._request
            and not self._request.is_needed
            and before
            and before.identity == credential.identity
        ):
            # The login that is there goes on.
            return self.async_abort(**self._saved(title))
        return self.async_abort(
            **self._saved(title),
            next_flow=await self._async_next_flow(subject.integration, auth_domain),
        )

    @override
    async def _async_add_application_credential(
        self, subject: NewPeerCredential, credential: DeveloperCredential
    ) -> ConfigFlowResult:
        result = await super()._async_add_application_credential(subject, credential)
        domain, client_id = subject.integration.domain, credential.client_id
        if (added := async_find_application_credential(self.hass, domain, client_id)) is None:
            return result
        return self.async_abort(
            reason=result["reason"],
            description_placeholders=result["description_placeholders"],
            next_flow=await self._async_next_flow(subject.integration, added.auth_domain),
        )

    async def _async_next_flow(
        self, integration: Integration, auth_domain: str
    ) -> tuple[FlowType, str] | None:
        """Begin the integration's own flow with the credential; None where that asks nothing."""
        if not integration.config_flow:
            return None
        manager = self.hass.config_entries.flow
        request = self._request or CredentialRequest(domain=integration.domain)
        context: ConfigFlowContext = request.context
        data = request.data
        if context["source"] in {SOURCE_REAUTH, SOURCE_RECONFIGURE}:
            entry = self._requested_entry(context["source"])
            if entry is None:
                context = {"source": SOURCE_USER}
                data = None
            elif context["source"] == SOURCE_REAUTH:
                data = entry.data
        try:
            with returning(context, auth_domain, request.kept):
                step = await manager.async_init(integration.domain, context=context, data=data)
        except Exception as err:  # noqa: BLE001 - the credential is saved, whatever comes next
            LOGGER.warning("The flow of %s failed: %s", integration.domain, type(err).__name__)
            return None
        if step["type"] is FlowResultType.FORM and step["step_id"] == "pick_implementation":
            # Where the credential is not offered, the user sees what is.
            with suppress(InvalidData):
                picked = {"implementation": auth_domain}
                step = await manager.async_configure(step["flow_id"], picked)
        if step["type"] in {FlowResultType.ABORT, FlowResultType.CREATE_ENTRY}:
            # A flow of ours may have begun the form again.
            return step.get("next_flow")
        return FlowType.CONFIG_FLOW, step["flow_id"]


class CredentialSubentryFlow(
    AddingSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow
):
    """Add or edit a credential from the config entry."""

    async def async_step_user(self, _: None = None) -> SubentryFlowResult:
        """Begin to add a credential."""
        return await self.async_step_integration()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Begin to edit a credential."""
        subentry = self._get_reconfigure_subentry()
        if subentry.subentry_id not in async_get_all_subentries(self.hass):
            return self.async_abort(reason="credential_damaged")
        domain = subentry.data[CONF_DOMAIN]
        try:
            integration = await async_get_integration(self.hass, domain)
        except IntegrationNotFound:
            return self.async_abort(
                reason="integration_gone", description_placeholders={"domain": domain}
            )
        self._subject = OwnCredential(self.hass, integration, subentry)
        return await self.async_step_edit()

    @override
    async def _async_save(
        self, subject: OwnCredential, credential: DeveloperCredential
    ) -> SubentryFlowResult:
        if subject.subentry:
            async_update_credential(self.hass, subject.subentry, subject.integration, credential)
            return self.async_abort(**self._saved(subject.subentry.title))
        if async_get_entry(self.hass) is None:
            return self.async_abort(reason="entry_removed")
        subentry = async_new_subentry(self.hass, subject.integration, credential)
        async_make_way(self.hass, subentry["unique_id"])
        saved = self._saved(subentry["title"])
        return self.async_create_entry(
            title=subentry["title"],
            data=subentry["data"],
            unique_id=subentry["unique_id"],
            description=saved["reason"],
            description_placeholders=saved["description_placeholders"],
        )
