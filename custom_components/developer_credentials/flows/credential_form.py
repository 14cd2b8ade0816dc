"""The credential form: the steps that the config flow, the subentry flow and repairs share.

It says what the state of the credential is, what to do at the provider, and which redirect URI to
register. What is entered is verified before it is saved; what the server rejects is corrected, or
saved where the user says so with a switch of its own. Home Assistant's own application credentials
are filled in in the same form.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypedDict

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult

from ..core_credentials.adding import async_add_application_credential
from ..core_credentials.editing import async_update_application_credential
from ..credentials.rejection import async_note_accepted, async_report
from ..credentials.store import CONF_REDIRECT_URI, key_of
from ..credentials.titles import title_of
from ..oauth2.client import DeveloperCredential, misplaced_field
from ..oauth2.redirect_uri import (
    REGISTERED,
    RedirectUri,
    async_get_choices,
    async_is_redirect_uri_told,
)
from ..oauth2.server_variable import ServerVariable, unfit_variables, without_defaults
from ..oauth2.verification import KNOWN, OBJECTIONS, REJECTIONS, Outcome, Verification
from ..plain_text import escape_markdown, plain_line
from .credential_fields import (
    CONF_MORE,
    CONF_SAVE_ANYWAY,
    Fields,
    chosen,
    variables_by_field,
    without_secrets,
)
from .credential_subject import NewPeerCredential, OwnCredential, PeerCredential
from .instructions import async_get_instructions, async_get_texts, links_in
from .situation import (
    async_describe,
    async_get_problem_text,
    async_is_rejected,
    describe_redirect_uri,
    describe_shortened,
)

# What is true of a credential that was saved: the reason by which the flow ends.
SAVED: Final = {
    Outcome.ACCEPTED: "credential_saved",
    Outcome.INCONCLUSIVE: "credential_saved_unchecked",
    Outcome.REJECTED: "credential_saved_rejected",
    Outcome.REDIRECT_URI_REJECTED: "credential_saved_rejected",
}


class Saved(TypedDict):
    """How a flow ends that has saved a credential."""

    reason: str
    description_placeholders: dict[str, str]


class Objected(NamedTuple):
    """What was submitted, and what the server has against it."""

    credential: DeveloperCredential
    verification: Verification


class CredentialForm[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The steps that fill in a credential, a new one or one that is there."""

    # The credential that is added or edited.
    _subject: OwnCredential | PeerCredential | NewPeerCredential
    # The credential as it was when the form was shown.
    _shown: DeveloperCredential | None = None
    # What was entered last.
    _entered: DeveloperCredential | None = None
    # The secret that was entered last: the frontend empties its field.
    _secret: str = ""
    # What the form asks for of the server; an integration that cannot tell has nothing asked.
    _variables: Sequence[ServerVariable] = ()
    # The redirect URIs by choice, and whether the user chooses one.
    _redirect_uris: Mapping[str, str] = {}
    _has_choice = False
    # What was rejected last, which the user may save all the same.
    _objected: Objected | None = None
    # What came of what is saved.
    _verification: Verification | None = None
    # What the server has said of the credential that is there, where it has just rejected that.
    _rejection: tuple[Outcome, str] | None = None
    # Whether it is known that the server rejects what is there.
    _is_rejected = False
    # What is wrong with the integration.
    _problem = ""
    # What the texts of one flow need besides.
    _placeholders: Mapping[str, str] = {}

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
            return await self._async_begin(step_id)
        if result := await self._async_overtaken(step_id):
            return result
        return await self._async_submit(step_id, user_input)

    async def _async_begin(self, step_id: str) -> ResultT:
        """Show the form as it is opened; where a new credential could not be used, say that."""
        stored = self._subject.stored
        if problem := await self._subject.async_get_problem(stored):
            domain = self._subject.integration.domain
            self._problem = await async_get_problem_text(self.hass, domain, problem)
            if stored is None:
                placeholders = {"problem": self._problem}
                return self.async_abort(
                    reason="platform_broken", description_placeholders=placeholders
                )
        if stored is None or self._rejection is None:
            return await self._async_show(step_id, None, {})
        outcome, detail = self._rejection
        self._shown, self._is_rejected = stored, True
        objected = stored.with_objection(OBJECTIONS[outcome])
        self._objected = Objected(stored, Verification(outcome, detail, objected))
        return await self._async_show(step_id, None, {"base": outcome.value}, detail)

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
            misplaced = [name for name in errors if errors[name] == "not_a_value"]
            self._secret = "" if CONF_CLIENT_SECRET in misplaced else self._secret
            # It may have the secret, which is not shown again.
            user_input = without_secrets(user_input, misplaced)
            if CONF_NAME in errors:
                # It stands in a section, whose fields cannot show an error.
                errors = {"base": errors[CONF_NAME]}
            return await self._async_show(step_id, user_input, errors)
        self._entered = credential
        return await self._async_verify_and_save(step_id, user_input, credential)

    async def _async_verify_and_save(
        self, step_id: str, user_input: dict[str, Any], credential: DeveloperCredential
    ) -> ResultT:
        """Save what was entered where the server accepts it, or where the user insists."""
        objected, self._objected = self._objected, None
        if user_input.get(CONF_SAVE_ANYWAY) and objected and objected.credential == credential:
            return await self._async_finish(credential, objected.verification)
        subject = self._subject
        if subject.stored is None and (problem := await subject.async_get_problem(credential)):
            errors = {"base": "platform_broken"}
            return await self._async_show(step_id, user_input, errors, problem.detail)
        verification = await subject.async_verify(credential)
        # The server was asked meanwhile.
        if result := await self._async_overtaken(step_id):
            return result
        if errors := self._errors_of_fields(credential):
            return await self._async_show(step_id, user_input, errors)
        if error := self._error_of(credential, verification):
            errors = {"base": error}
            return await self._async_show(step_id, user_input, errors, verification.detail)
        return await self._async_finish(credential, verification)

    def _error_of(self, credential: DeveloperCredential, verification: Verification) -> str | None:
        """Return the error for what came of a verification; None where it can be saved.

        What the server rejects is remembered as what the user may save all the same.
        """
        if verification.outcome not in REJECTIONS:
            return None
        self._objected = Objected(credential, verification)
        return verification.outcome.value

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
        # A section that is not sent is as it was.
        more = user_input.get(CONF_MORE, {CONF_NAME: stored.name if stored else None})
        redirect_uri, registered_uri = self._redirect_uri_of(more.get(CONF_REDIRECT_URI))
        values = {one.key: user_input.get(field, "") for field, one in self._by_field()}
        credential = DeveloperCredential(
            user_input[CONF_CLIENT_ID],
            self._secret or (stored.client_secret if stored else ""),
            more.get(CONF_NAME),
            redirect_uri=redirect_uri,
            token_endpoint_auth_method=stored.token_endpoint_auth_method if stored else None,
            # What is not asked for stays.
            variables={**(stored.variables if stored else {}), **values},
            registered_uri=registered_uri,
            objected=stored.objected if stored else None,
        )
        return replace(
            credential, variables=without_defaults(self._variables, credential.variables)
        )

    def _redirect_uri_of(self, choice: str | None) -> tuple[RedirectUri, str]:
        """Return what a choice means, and the redirect URI that is registered with it."""
        stored = self._subject.stored
        before = (
            (stored.redirect_uri, stored.registered_uri) if stored else (RedirectUri.DEFAULT, "")
        )
        if not self._has_choice:
            return before
        if choice is None:
            choice = chosen(stored, self._redirect_uris) if stored else RedirectUri.DEFAULT
        if choice == REGISTERED:
            return before
        redirect_uri = RedirectUri(choice)
        if async_is_redirect_uri_told(self.hass, redirect_uri):
            return redirect_uri, self._redirect_uris.get(choice, "")
        return before if redirect_uri is before[0] else (redirect_uri, "")

    def _errors_of_fields(self, credential: DeveloperCredential) -> dict[str, str]:
        """Return what is wrong with what was entered, whatever the server says."""
        if misplaced := misplaced_field(credential, self._subject.stored):
            return {misplaced: "not_a_value"}
        if self._subject.is_taken(credential):
            return {CONF_CLIENT_ID: "already_configured"}
        unfit = unfit_variables(self._variables, credential.variables)
        return {field: "variable_invalid" for field, one in self._by_field() if one in unfit}

    def _by_field(self) -> list[tuple[str, ServerVariable]]:
        return variables_by_field(self._variables)

    async def _async_finish(
        self, credential: DeveloperCredential, verification: Verification
    ) -> ResultT:
        """Save a credential, and remember what the server thinks of it."""
        self._verification = verification
        subject = self._subject
        if isinstance(subject, PeerCredential):
            return await self._async_save_application_credential(subject, credential)
        if isinstance(subject, NewPeerCredential):
            return await self._async_add_application_credential(subject, credential)
        result = await self._async_save(subject, verification.credential)
        if subject.subentry:
            key = key_of(subject.subentry)
            if verification.outcome in KNOWN:
                async_note_accepted(self.hass, key, but_for="redirect_uri_rejected")
            elif verification.outcome is Outcome.REJECTED and subject.users:
                async_report(self.hass, key, verification.detail)
        return result

    async def _async_save_application_credential(
        self, subject: PeerCredential, credential: DeveloperCredential
    ) -> ResultT:
        # It is there: that was looked at in the same step.
        await async_update_application_credential(
            self.hass, subject.application_credential, credential
        )
        title = title_of(subject.integration.name, str(credential), ())
        return self.async_abort(**self._saved(title))

    async def _async_add_application_credential(
        self, subject: NewPeerCredential, credential: DeveloperCredential
    ) -> ResultT:
        added = await async_add_application_credential(self.hass, subject.integration, credential)
        if added is None:
            return self.async_abort(reason="application_credential_refused")
        name = added.credential.name
        return self.async_abort(**self._saved(title_of(subject.integration.name, name, ())))

    def _saved(self, title: str) -> Saved:
        """Return how a flow ends that has saved a credential: what is true of it."""
        outcome = self._verification.outcome if self._verification else Outcome.INCONCLUSIVE
        return {
            "reason": SAVED[outcome],
            "description_placeholders": {
                "title": escape_markdown(title),
                "integration": escape_markdown(self._subject.integration.name),
            },
        }

    async def _async_show(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        errors: dict[str, str],
        detail: str = "",
    ) -> ResultT:
        """Show the form with what is known; a secret goes in, and never out again."""
        subject = self._subject
        if subject.stored != self._shown:
            # What was entered was about what was there before.
            self._shown = subject.stored
            self._entered, self._secret, self._objected = None, "", None
        fields = await self._async_fields(errors)
        stored = subject.stored
        known = self._entered or stored
        choice = chosen(known, fields.redirect_uris) if known else RedirectUri.DEFAULT
        is_stored = stored is not None and choice == chosen(stored, fields.redirect_uris)
        instructions = await async_get_instructions(
            self.hass, subject.integration.domain, fields.redirect_uris.get(choice, "")
        )
        texts = await async_get_texts(self.hass, "situation")
        links = ", ".join(links_in(instructions))
        if step_id != "credential":
            # Whoever sees it again, or has an application, needs the way to it.
            instructions = texts["links"].format(links=links) if links else ""
        suggested = fields.suggested(known) | without_secrets(user_input or {})
        labels = await async_get_texts(self.hass, CONF_REDIRECT_URI)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(fields.schema(labels), suggested),
            description_placeholders={
                "situation": async_describe(self.hass, subject, texts, self._problem),
                "instructions": instructions,
                "redirect_uri": describe_redirect_uri(
                    fields, choice, texts, is_stored=is_stored, instructions=instructions
                ),
                "detail": f"({detail})" if detail else "",
                "redirect_uris": describe_shortened(fields, labels),
                **{field: plain_line(one.label) for field, one in self._by_field()},
                **self._placeholders,
                # In titles and errors, which are no Markdown.
                "integration": plain_line(subject.integration.name),
            },
            errors=errors,
        )

    async def _async_fields(self, errors: Mapping[str, str]) -> Fields:
        """Return what the form asks for."""
        subject, stored = self._subject, self._subject.stored
        if (variables := await subject.async_get_variables()) is not None:
            self._variables = variables
        fixed = await subject.async_get_redirect_uri()
        self._has_choice = subject.has_redirect_uri and fixed is None
        if fixed is not None:
            self._redirect_uris = {RedirectUri.DEFAULT: fixed}
        elif stored:
            self._redirect_uris = async_get_choices(
                self.hass, stored.redirect_uri, stored.registered_uri
            )
        else:
            self._redirect_uris = async_get_choices(self.hass)
        offered = dict(self._redirect_uris)
        if not self._has_choice:
            offered = {
                choice: uri for choice, uri in offered.items() if choice == RedirectUri.DEFAULT
            }
        is_about_uri = errors.get("base") == Outcome.REDIRECT_URI_REJECTED
        return Fields(
            variables=self._variables,
            redirect_uris=offered,
            rejected=not is_about_uri
            and (self._is_rejected or async_is_rejected(self.hass, subject)),
            with_objection=self._objected is not None,
            expanded=is_about_uri,
        )
