"""The credential form: the steps that the config flow, the subentry flow and repairs share.

It shows the integration's instructions and the redirect URIs to register. What it says is verified
before it is saved; where the server rejects it, the user corrects it, or submits the same again to
insist. Home Assistant's own application credentials are edited in the same form.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..const import NOTHING
from ..core_credentials.editing import (
    async_update_application_credential,
)
from ..credentials.store import CONF_REDIRECT_URI
from ..oauth2.client import DeveloperCredential, misplaced_field
from ..oauth2.redirect_uri import RedirectUri, async_get_redirect_uri, async_get_redirect_uris
from ..oauth2.server_variable import ServerVariable, unfit_variables, without_defaults
from ..oauth2.verification import Outcome, Verification
from ..plain_text import escape_markdown, plain_line
from .credential_subject import OwnCredential, PeerCredential
from .instructions import async_describe_redirect_uris, async_get_instructions


class CredentialForm[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The steps that fill in a credential, a new one or one that is there."""

    # The credential that is added or edited.
    _subject: OwnCredential | PeerCredential
    # The credential as it was when the form was shown.
    _shown: DeveloperCredential | None = None
    # What was entered last.
    _entered: DeveloperCredential | None = None
    # The secret that was entered last: the frontend empties its field.
    _secret: str = ""
    # What the form asks for of the server; an integration that cannot tell has nothing asked.
    _variables: Sequence[ServerVariable] = ()
    # The redirect URI where there is no choice.
    _redirect_uri: str | None = None
    # What the server said of the credential that is there, where it has rejected that.
    _rejection: str | None = None
    # What the texts of one flow need besides.
    _placeholders: Mapping[str, str] = {}

    def __init__(self) -> None:
        """Initialize with nothing verified."""
        # What came of what was submitted; what the server rejects, the user may insist on.
        self._verified: dict[DeveloperCredential, Verification] = {}

    @abstractmethod
    async def _async_save(self, subject: OwnCredential, credential: DeveloperCredential) -> ResultT:
        """Save a credential of ours, and finish the flow."""

    async def async_step_credential(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Fill in a new credential."""
        return await self._async_form("credential", user_input)

    async def async_step_retry(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Correct a new credential; an empty secret is the one that was just entered."""
        return await self._async_form("retry", user_input)

    async def async_step_edit(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Change a credential; an empty secret is the one that is there."""
        return await self._async_form("edit", user_input)

    async def async_step_edit_application_credential(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Change an application credential; an empty secret is the one that is there."""
        return await self._async_form("edit_application_credential", user_input)

    async def _async_form(self, step_id: str, user_input: dict[str, Any] | None) -> ResultT:
        """Show the form, or take what was submitted."""
        if user_input is None:
            errors = {} if self._rejection is None else {"base": Outcome.REJECTED.value}
            return await self._async_show(step_id, None, errors, self._rejection)
        if result := await self._async_overtaken(step_id):
            return result
        return await self._async_submit(step_id, user_input)

    async def _async_submit(self, step_id: str, user_input: dict[str, Any]) -> ResultT:
        """Save what the form says where that stands the test, else show what is wrong with it."""
        self._secret = user_input.get(CONF_CLIENT_SECRET) or self._secret
        if step_id == "credential" and self._secret:
            step_id = "retry"
        try:
            credential = self._read(user_input)
        except ValueError:
            return await self._async_show(step_id, user_input, {CONF_CLIENT_ID: "client_id_empty"})
        if errors := self._errors_of_fields(credential):
            self._secret = "" if CONF_CLIENT_SECRET in errors else self._secret
            if misplaced := [name for name in errors if errors[name] == "not_a_value"]:
                # It may have the secret, which is not shown again.
                user_input = {name: user_input[name] for name in user_input.keys() - misplaced}
            return await self._async_show(step_id, user_input, errors)
        self._entered = credential
        errors, detail = await self._async_check(credential)
        # The server was asked meanwhile.
        if result := await self._async_overtaken(step_id):
            return result
        if errors:
            return await self._async_show(step_id, user_input, errors, detail)
        if isinstance(self._subject, PeerCredential):
            return await self._async_save_application_credential(self._subject, credential)
        return await self._async_save(self._subject, self._verified[credential].credential)

    async def _async_overtaken(self, step_id: str) -> ResultT | None:
        """Return what comes next where somebody else was faster; None where nobody was.

        What the form says is then about a credential that is another now, or cannot be saved.
        """
        if reason := self._subject.obstacle:
            return self.async_abort(reason=reason)
        if self._subject.stored == self._shown:
            return None
        return await self._async_show(step_id, None, {"base": "changed_meanwhile"})

    def _read(self, user_input: dict[str, Any]) -> DeveloperCredential:
        """Return the credential that the form says, with the secret that is known.

        Raises:
            ValueError: The client id is empty.
        """
        stored = self._subject.stored
        redirect_uri = stored.redirect_uri if stored else RedirectUri.DEFAULT
        values = {one.key: user_input.get(field, "") for field, one in self._fields()}
        credential = DeveloperCredential(
            user_input[CONF_CLIENT_ID],
            self._secret or (stored.client_secret if stored else ""),
            user_input.get(CONF_NAME),
            redirect_uri=RedirectUri(user_input.get(CONF_REDIRECT_URI, redirect_uri)),
            token_endpoint_auth_method=stored.token_endpoint_auth_method if stored else None,
            # What is not asked for stays.
            variables={**(stored.variables if stored else {}), **values},
        )
        return replace(
            credential, variables=without_defaults(self._variables, credential.variables)
        )

    def _errors_of_fields(self, credential: DeveloperCredential) -> dict[str, str]:
        """Return what is wrong with what was entered, whatever the server says."""
        if misplaced := misplaced_field(credential, self._subject.stored):
            return {misplaced: "not_a_value"}
        unfit = unfit_variables(self._variables, credential.variables)
        return {field: "variable_invalid" for field, one in self._fields() if one in unfit}

    def _fields(self) -> list[tuple[str, ServerVariable]]:
        """Return the fields of the variables, called by their numbers, with what each is for."""
        return [(f"variable_{number}", one) for number, one in enumerate(self._variables, 1)]

    async def _async_save_application_credential(
        self, subject: PeerCredential, credential: DeveloperCredential
    ) -> ResultT:
        # It is there: that was looked at in the same step.
        await async_update_application_credential(
            self.hass, subject.application_credential, credential
        )
        title = f"{subject.integration.name}: {credential}"
        return self.async_abort(
            reason="credential_saved",
            description_placeholders={"title": escape_markdown(title)},
        )

    async def _async_show(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        errors: dict[str, str],
        detail: str | None = None,
    ) -> ResultT:
        """Show the form with what is known; a secret goes in, and never out again."""
        subject = self._subject
        if subject.stored != self._shown:
            # What was entered was about what was there before.
            self._shown, self._entered, self._secret = subject.stored, None, ""
        if (variables := await subject.async_get_variables()) is not None:
            self._variables = variables
        self._redirect_uri = await subject.async_get_redirect_uri()
        suggested = self._suggested(user_input)
        redirect_uris = self._redirect_uris()
        default = redirect_uris.get(RedirectUri.DEFAULT, "")
        choices: list[RedirectUri] = []
        instructions = ""
        if subject.has_redirect_uri:
            if self._redirect_uri is None:
                choices = list(redirect_uris or [RedirectUri.DEFAULT])
            instructions = await async_get_instructions(
                self.hass, subject.integration.domain, default
            )
        else:
            redirect_uris = {RedirectUri.DEFAULT: default}
        entries = ", ".join(escape_markdown(user.title) for user in subject.users)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                _schema(dict(self._fields()), choices), suggested
            ),
            description_placeholders={
                "instructions": instructions,
                "redirect_uris": await async_describe_redirect_uris(self.hass, redirect_uris),
                "detail": detail or NOTHING,
                "entries": entries or NOTHING,
                **{field: plain_line(one.label) for field, one in self._fields()},
                **self._placeholders,
                # In titles and errors, which are no Markdown.
                "integration": plain_line(subject.integration.name),
            },
            errors=errors,
        )

    def _redirect_uris(self) -> dict[RedirectUri, str]:
        """Return the redirect URIs to choose from, and the one that is chosen; by choice."""
        if self._redirect_uri is not None:
            return {RedirectUri.DEFAULT: self._redirect_uri}
        try:
            redirect_uris = async_get_redirect_uris(self.hass)
            if stored := self._subject.stored:
                uri = async_get_redirect_uri(self.hass, stored.redirect_uri)
                redirect_uris.setdefault(stored.redirect_uri, uri)
        except NoURLAvailableError:
            return {}
        return redirect_uris

    def _suggested(self, user_input: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the fields show: what was submitted, else what was entered or is there."""
        if user_input is not None:
            return {name: value for name, value in user_input.items() if name != CONF_CLIENT_SECRET}
        before = self._entered or self._subject.stored
        known = before.variables if before else {}
        values = {field: known.get(one.key, one.default) for field, one in self._fields()}
        if before is None:
            return values
        return values | {
            CONF_NAME: before.name,
            CONF_CLIENT_ID: before.client_id,
            CONF_REDIRECT_URI: before.redirect_uri.value,
        }

    async def _async_check(self, credential: DeveloperCredential) -> tuple[dict[str, str], str]:
        """Return the errors of the form, and the server's words."""
        if self._subject.is_taken(credential):
            return {CONF_CLIENT_ID: "already_configured"}, ""
        if credential in self._verified:
            return {}, ""
        verification = await self._subject.async_verify(credential)
        self._verified[credential] = verification
        if verification.outcome is Outcome.REJECTED:
            return {"base": verification.outcome.value}, verification.detail
        if verification.outcome is Outcome.REDIRECT_URI_REJECTED:
            has_choice = self._subject.has_redirect_uri and self._redirect_uri is None
            field = CONF_REDIRECT_URI if has_choice else "base"
            return {field: verification.outcome.value}, verification.detail
        return {}, ""


def _schema(
    variables: Mapping[str, ServerVariable], redirect_uris: list[RedirectUri]
) -> vol.Schema:
    """Return the schema of the form, with a redirect URI where there are any to choose from."""
    password = TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
    of_variables = {
        (vol.Optional if one.default else vol.Required)(field): TextSelector()
        for field, one in variables.items()
    }
    schema = vol.Schema(
        {
            **of_variables,
            vol.Optional(CONF_NAME): TextSelector(),
            vol.Required(CONF_CLIENT_ID): TextSelector(TextSelectorConfig(autocomplete="off")),
            vol.Optional(CONF_CLIENT_SECRET): TextSelector(password),
        }
    )
    if not redirect_uris:
        return schema
    selector = SelectSelector(
        SelectSelectorConfig(
            options=[choice.value for choice in redirect_uris],
            translation_key=CONF_REDIRECT_URI,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
    return schema.extend(
        {vol.Required(CONF_REDIRECT_URI, default=RedirectUri.DEFAULT.value): selector}
    )
