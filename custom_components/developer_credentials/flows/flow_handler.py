"""The base class of the integrations' config flows: one dialog, from nothing to connected.

It is Home Assistant's own OAuth2 flow, and adds what that leaves to the user: without a credential
it goes on into the credential form and comes back; a client that the server rejects is corrected
the same way; what the server says is shown, with what to do about it. What it does for an account
is in `account_flow`. Integrations need no translations for any of it.
"""

from abc import ABCMeta
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowContext,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType, UnknownStep
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.loader import async_get_integration

from ..const import DOMAIN, NOTHING
from ..credentials.rejection import (
    async_get_rejected,
    async_note_accepted,
    async_takes_insistence,
)
from ..credentials.store import async_get_by_key, async_get_entry, credential_of, key_of
from ..oauth2.error_codes import kind_of
from ..oauth2.errors import (
    InvalidClientError,
    InvalidRedirectUriError,
    InvalidScopeError,
    TokenRequestError,
    UnavailableError,
)
from ..oauth2.implementation import AuthImplementation
from ..oauth2.redirect_uri import async_is_elsewhere
from ..oauth2.verification import REJECTIONS, Outcome, Verification
from ..plain_text import escape_markdown
from ..platform import async_get_integrations, async_get_problems
from .account_flow import AccountFlow
from .credential_request import CredentialRequest, Return, async_get_return
from .credential_subject import OwnCredential
from .situation import async_get_problem_text

# The errors of the authorization endpoint that have a text of their own (RFC 6749, 4.1.2.1).
_AUTHORIZE_ERRORS: Final[dict[type[TokenRequestError] | None, str]] = {
    InvalidRedirectUriError: "token_invalid_redirect_uri",
    InvalidScopeError: "authorize_invalid_scope",
    UnavailableError: "authorize_unavailable",
}


class DeveloperCredentialsFlowHandler(AccountFlow, metaclass=ABCMeta):
    """Config flow of an integration that takes developer credentials.

    Attributes:
        asks_for_credential: That this class needs no card to be given a credential.
        kept_attributes: The names of what a subclass with steps of its own before the login has
            found out there, such as `("_host",)`. Where the flow has to ask for a credential, a new
            one of the same source goes on to the login afterwards, with these. None where that is
            not known: a flow with steps of its own begins with its first one then.
    """

    asks_for_credential = True
    kept_attributes: ClassVar[tuple[str, ...] | None] = None
    # Whether the login has begun.
    _has_begun = False
    # What Home Assistant begins the flow with.
    _first_step = ""

    @property
    def init_step(self) -> str:
        """The first step: the login, for a flow that comes back from the credential form."""
        return "return" if self._return else self._first_step

    @init_step.setter
    def init_step(self, step: str) -> None:
        self._first_step = step

    @property
    def _return(self) -> Return | None:
        return async_get_return(self.context)

    async def async_step_return(self, _: object = None) -> ConfigFlowResult:
        """Go on to the login with the credential that was entered."""
        if (found := self._return) is None:
            # It is no step to begin with.
            raise UnknownStep
        for name, value in found.kept.items():
            setattr(self, name, value)
        return await self.async_step_pick_implementation({"implementation": found.auth_domain})

    @override
    async def async_step_pick_implementation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Pick a credential, or enter the first one."""
        if user_input is not None:
            # The one that an entry names may be gone; then the user chooses among the others.
            with suppress(ImplementationUnavailableError):
                known = await async_get_implementations(self.hass, self.DOMAIN)
                if user_input["implementation"] not in known:
                    user_input = None
        await self._async_read_texts()
        result = self._with_texts(await super().async_step_pick_implementation(user_input))
        reasons = {"missing_configuration", "missing_credentials"}
        if (entry := async_get_entry(self.hass)) and entry.disabled_by:
            # The form says so.
            reasons.add("oauth_implementation_unavailable")
        if (
            result["type"] is FlowResultType.ABORT
            and result["reason"] in reasons
            and self.DOMAIN in await async_get_integrations(self.hass)
            # Without a user nobody would see the form.
            and http.current_request.get() is not None
        ):
            return await self.async_ask_for_credential()
        problem = async_get_problems(self.hass).get(self.DOMAIN)
        if problem and result.get("reason") == "oauth_implementation_unavailable":
            text = await async_get_problem_text(self.hass, self.DOMAIN, problem)
            return self.async_abort(
                reason="platform_broken",
                translation_domain=DOMAIN,
                description_placeholders={"problem": text},
            )
        return result

    @override
    async def async_step_auth(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin the login, unless it would end at an error page of the server."""
        # The frontend asks for the step again when it shows it, and may not be led elsewhere then.
        begins, self._has_begun = not self._has_begun, True
        if user_input is None and begins and (verification := await self._async_verify()):
            return await self._async_correct(verification.detail, verification.outcome)
        return await super().async_step_auth(user_input)

    async def _async_verify(self) -> Verification | None:
        """Return what the server has against the credential; None where it may be used.

        It is asked where it was known to have something against it, or where the user has opened
        Home Assistant at another address than the one that is registered.
        """
        subentry = async_get_by_key(self.hass, (self.DOMAIN, self.flow_impl.domain))
        if subentry is None:
            return None
        key, credential = key_of(subentry), credential_of(subentry)
        is_elsewhere = async_is_elsewhere(
            self.hass, credential.redirect_uri, credential.registered_uri
        )
        is_doubtful = is_elsewhere or key in async_get_rejected(self.hass)
        if async_takes_insistence(self.hass, key) or not is_doubtful:
            return None
        integration = await async_get_integration(self.hass, self.DOMAIN)
        subject = OwnCredential(self.hass, integration, subentry)
        # As the login will be, wherever it is.
        verification = await subject.async_verify(replace(credential, registered_uri=""))
        if verification.outcome in REJECTIONS:
            return verification
        if verification.outcome is Outcome.ACCEPTED:
            async_note_accepted(self.hass, key)
        return None

    @override
    async def async_step_creation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Exchange the code for a token, or say why the server gives none."""
        result = await super().async_step_creation(user_input)
        error = self.flow_impl.error if isinstance(self.flow_impl, AuthImplementation) else None
        if result["type"] is not FlowResultType.ABORT or error is None:
            return result
        details = [text for text in (error.error, error.error_description) if text]
        if isinstance(error, InvalidClientError):
            return await self._async_correct(": ".join(details))
        return await self._async_failed(f"token_{error.reason}", ": ".join(details))

    @override
    async def async_step_authorize_rejected(self, data: None = None) -> ConfigFlowResult:
        """Say why the server sent the user back without a code."""
        error = str(self.external_data["error"])[:100]
        if error == "access_denied":
            return await super().async_step_authorize_rejected(data)
        if (kind := kind_of(error)) is InvalidClientError:
            return await self._async_correct(error)
        return await self._async_failed(_AUTHORIZE_ERRORS.get(kind, "authorize_refused"), error)

    async def _async_failed(self, reason: str, detail: str) -> ConfigFlowResult:
        integration = await async_get_integration(self.hass, self.DOMAIN)
        return self.async_abort(
            reason=reason,
            translation_domain=DOMAIN,
            description_placeholders={
                "detail": escape_markdown(detail) or NOTHING,
                "integration": escape_markdown(integration.name),
            },
        )

    async def async_ask_for_credential(self) -> ConfigFlowResult:
        """Go on into the credential form, which comes back to a flow like this one.

        For a subclass that looks for implementations itself, and finds none; picking one does it
        anyway. Where no user would see the form, the flow ends with a text.
        """
        if http.current_request.get() is None:
            return self.async_abort(reason="credential_needed", translation_domain=DOMAIN)
        return await self._async_go_on(self._request())

    async def _async_correct(
        self, rejection: str, outcome: Outcome = Outcome.REJECTED
    ) -> ConfigFlowResult:
        """Have the credential of this flow corrected, and come back.

        Args:
            rejection: What the server said of it.
            outcome: What the server has against it.
        """
        name = self.flow_impl.domain
        request = replace(self._request(), auth_domain=name, rejection=rejection, outcome=outcome)
        return await self._async_go_on(request)

    @override
    async def _async_go_on_in_form(self, auth_domain: str | None) -> ConfigFlowResult:
        self._logs_in_again = True
        return await self._async_go_on(
            replace(self._request(), auth_domain=auth_domain, outcome=None, is_needed=False)
        )

    @callback
    def _request(self) -> CredentialRequest:
        """Return the request for a new credential, with what this flow is to go on with."""
        context, data = self.context, self.init_data
        if self.source != context["source"]:
            # What is left open of a reauth is seen; a reconfiguration would only be in its way.
            entry = self._get_reauth_entry()
            context, data = _reauth_context(entry), entry.data
        names = self.kept_attributes
        if names is None and not self._has_own_steps:
            names = ()
        kept = None
        if names is not None:
            kept = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return CredentialRequest(domain=self.DOMAIN, context=context, data=data, kept=kept)

    @property
    def _has_own_steps(self) -> bool:
        """Whether a subclass has steps of its own before the login, as far as can be told."""
        steps = {self._first_step, "user", "reauth_confirm", "oauth_discovery"}
        return any(
            getattr(type(self), f"async_step_{step}", None)
            is not getattr(DeveloperCredentialsFlowHandler, f"async_step_{step}", None)
            for step in steps
        )

    async def _async_go_on(self, request: CredentialRequest) -> ConfigFlowResult:
        """Go on in the form that serves a request."""
        form = await self.hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}, data=request
        )
        if form["type"] is not FlowResultType.FORM:
            return self.async_abort(
                reason=form["reason"],
                translation_domain=DOMAIN,
                description_placeholders=form["description_placeholders"],
            )
        return self.async_abort(
            reason="credential_needed",
            translation_domain=DOMAIN,
            next_flow=(FlowType.CONFIG_FLOW, form["flow_id"]),
        )


def _reauth_context(entry: ConfigEntry) -> ConfigFlowContext:
    """Return the context of a reauth, as Home Assistant makes it."""
    return {
        "source": SOURCE_REAUTH,
        "entry_id": entry.entry_id,
        "title_placeholders": {"name": entry.title},
        "unique_id": entry.unique_id,
    }
