"""The credential form: the steps that the config flow and the subentry flow share.

The user chooses the integration, then fills in the form, which shows the integration's instructions
and the redirect URIs to register. What it says is verified before it is saved; where the server
rejects it, the user corrects it, or submits the same again to insist.
"""

from abc import abstractmethod
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.loader import Integration
import voluptuous as vol

from .const import DEVELOPER_GUIDE_URL
from .credentials import (
    CONF_REDIRECT_URI,
    async_find_subentry,
    async_get_entry,
    async_get_users,
    credential_of,
)
from .instructions import async_describe_redirect_uris, async_get_instructions, escape_markdown
from .models import AuthorizationServer, DeveloperCredential, RedirectUri
from .platform import PlatformError, async_call, async_get_integrations, async_get_platform
from .redirect_uri import async_get_redirect_uri, async_get_redirect_uris
from .verification import Outcome, Verification, async_verify

# What stands for an empty text in a sentence.
NOTHING = "-"


class CredentialSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The steps that add or edit a credential."""

    # The integration that the credential is for.
    _integration: Integration
    # The one to edit; None to add one.
    _subentry: ConfigSubentry | None = None
    # What was entered last.
    _entered: DeveloperCredential | None = None
    # The secret that was entered last: the frontend empties its field.
    _secret: str = ""
    # What the server said of the credential that is there, where it has rejected that.
    _rejection: str | None = None

    def __init__(self) -> None:
        """Initialize with nothing verified."""
        # What came of what was submitted; what the server rejects, the user may insist on.
        self._verified: dict[DeveloperCredential, Verification] = {}

    @abstractmethod
    async def _async_save(self, credential: DeveloperCredential) -> ResultT:
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
        self._integration = integrations[
            user_input[CONF_DOMAIN] if user_input else next(iter(integrations))
        ]
        return await self.async_step_credential()

    async def async_step_credential(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Fill in a new credential."""
        return await self._async_form("credential", user_input)

    async def async_step_retry(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Correct a new credential; an empty secret is the one that was just entered."""
        return await self._async_form("retry", user_input)

    async def async_step_edit(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Change a credential; an empty secret is the one that is there."""
        return await self._async_form("edit", user_input)

    async def _async_form(self, step_id: str, user_input: dict[str, Any] | None) -> ResultT:
        """Show the form, or save what it says where that stands the test."""
        if user_input is None:
            errors = {} if self._rejection is None else {"base": Outcome.REJECTED.value}
            return await self._async_show(step_id, None, errors, self._rejection)
        stored = credential_of(self._subentry) if self._subentry else None
        self._secret = user_input.get(CONF_CLIENT_SECRET) or self._secret
        if step_id == "credential" and self._secret:
            step_id = "retry"
        try:
            credential = DeveloperCredential(
                user_input[CONF_CLIENT_ID],
                self._secret or (stored.client_secret if stored else ""),
                user_input.get(CONF_NAME),
                redirect_uri=RedirectUri(user_input[CONF_REDIRECT_URI]),
                token_endpoint_auth_method=stored.token_endpoint_auth_method if stored else None,
            )
        except ValueError:
            return await self._async_show(step_id, user_input, {CONF_CLIENT_ID: "client_id_empty"})
        self._entered = credential
        errors, detail = await self._async_check(credential)
        if errors:
            return await self._async_show(step_id, user_input, errors, detail)
        if self._subentry and not self._is_there(self._subentry):
            return self.async_abort(reason="credential_gone")
        return await self._async_save(self._verified[credential].credential)

    async def _async_show(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        errors: dict[str, str],
        detail: str | None = None,
    ) -> ResultT:
        """Show the form with what is known; a secret goes in, and never out again."""
        stored = credential_of(self._subentry) if self._subentry else None
        try:
            redirect_uris = async_get_redirect_uris(self.hass)
            if stored:
                uri = async_get_redirect_uri(self.hass, stored.redirect_uri)
                redirect_uris.setdefault(stored.redirect_uri, uri)
        except NoURLAvailableError:
            redirect_uris = {}
        known = dict(user_input or {})
        if user_input is None and (before := self._entered or stored):
            known = {
                CONF_NAME: before.name,
                CONF_CLIENT_ID: before.client_id,
                CONF_REDIRECT_URI: before.redirect_uri.value,
            }
        known.pop(CONF_CLIENT_SECRET, None)
        users = async_get_users(self.hass, self._subentry) if self._subentry else []
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                _schema(list(redirect_uris or [RedirectUri.DEFAULT])), known
            ),
            description_placeholders={
                "integration": self._integration.name,
                "instructions": await async_get_instructions(
                    self.hass,
                    self._integration.domain,
                    redirect_uris.get(RedirectUri.DEFAULT, ""),
                ),
                "redirect_uris": await async_describe_redirect_uris(self.hass, redirect_uris),
                "detail": detail or NOTHING,
                "entries": ", ".join(escape_markdown(user.title) for user in users) or NOTHING,
            },
            errors=errors,
        )

    def _is_there(self, subentry: ConfigSubentry) -> bool:
        """Return whether the credential was not removed while the form was open."""
        entry = async_get_entry(self.hass)
        return entry is not None and subentry.subentry_id in entry.subentries

    async def _async_check(self, credential: DeveloperCredential) -> tuple[dict[str, str], str]:
        """Return the errors of the form, and the server's words."""
        found = async_find_subentry(self.hass, self._integration.domain, credential.client_id)
        if found is not None and found is not self._subentry:
            return {CONF_CLIENT_ID: "already_configured"}, ""
        if credential in self._verified:
            return {}, ""
        verification = await self._async_verify(credential)
        self._verified[credential] = verification
        if verification.outcome is Outcome.REJECTED:
            return {"base": verification.outcome.value}, verification.detail
        if verification.outcome is Outcome.REDIRECT_URI_REJECTED:
            return {CONF_REDIRECT_URI: verification.outcome.value}, verification.detail
        return {}, ""

    async def _async_verify(self, credential: DeveloperCredential) -> Verification:
        """Ask the declared server about the credential, where there is one."""
        domain = self._integration.domain
        try:
            platform = await async_get_platform(self.hass, domain)
            if platform is None or hasattr(platform, "async_get_auth_implementation"):
                return Verification(Outcome.INCONCLUSIVE, "", credential)
            server = await async_call(
                platform, "async_get_authorization_server", AuthorizationServer, self.hass
            )
            redirect_uri = async_get_redirect_uri(self.hass, credential.redirect_uri)
        except ImplementationUnavailableError, NoURLAvailableError, PlatformError:
            return Verification(Outcome.INCONCLUSIVE, "", credential)
        return await async_verify(self.hass, server, credential, redirect_uri)


def _schema(redirect_uris: list[RedirectUri]) -> vol.Schema:
    """Return the schema of the form."""
    password = TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
    return vol.Schema(
        {
            vol.Optional(CONF_NAME): TextSelector(),
            vol.Required(CONF_CLIENT_ID): TextSelector(TextSelectorConfig(autocomplete="off")),
            vol.Optional(CONF_CLIENT_SECRET): TextSelector(password),
            vol.Required(CONF_REDIRECT_URI, default=RedirectUri.DEFAULT.value): SelectSelector(
                SelectSelectorConfig(
                    options=[choice.value for choice in redirect_uris],
                    translation_key=CONF_REDIRECT_URI,
                    mode=SelectSelectorMode.DROPDOWN,
                )
            ),
        }
    )
