"""The base class of the integrations' config flows: one dialog, from nothing to connected.

It is Home Assistant's own OAuth2 flow, and adds what that leaves to the user: without a credential
it goes on into the credential form and comes back; a client that the server rejects is corrected
the same way; what the server says is shown, with what to do about it. Integrations need no
translations for any of it.
"""

from abc import ABCMeta
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigFlowContext,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2FlowHandler,
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
from ..platform import async_get_integrations
from .credential_request import CredentialRequest
from .credential_subject import OwnCredential

# The errors of the authorization endpoint that have a text of their own (RFC 6749, 4.1.2.1).
_AUTHORIZE_ERRORS: Final[dict[type[TokenRequestError] | None, str]] = {
    InvalidRedirectUriError: "token_invalid_redirect_uri",
    InvalidScopeError: "authorize_invalid_scope",
    UnavailableError: "authorize_unavailable",
}


class DeveloperCredentialsFlowHandler(AbstractOAuth2FlowHandler, metaclass=ABCMeta):
    """Config flow of an integration that takes developer credentials.

    Attributes:
        asks_for_credential: That this class needs no card to be given a credential.
    """

    asks_for_credential = True
    # Whether the login has begun.
    _has_begun = False

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
        result = await super().async_step_pick_implementation(user_input)
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
            return await self._async_ask_for_credential()
        return result

    @override
    async def async_step_auth(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin the login, unless it would end at an error page of the server."""
        # The frontend asks for the step again when it shows it, and may not be led elsewhere then.
        begins, self._has_begun = not self._has_begun, True
        if user_input is None and begins and (verification := await self._async_verify()):
            return await self._async_ask_for_credential(verification.detail, verification.outcome)
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
            return await self._async_ask_for_credential(": ".join(details))
        return await self._async_failed(f"token_{error.reason}", ": ".join(details))

    @override
    async def async_step_authorize_rejected(self, data: None = None) -> ConfigFlowResult:
        """Say why the server sent the user back without a code."""
        error = str(self.external_data["error"])[:100]
        if error == "access_denied":
            return await super().async_step_authorize_rejected(data)
        if (kind := kind_of(error)) is InvalidClientError:
            return await self._async_ask_for_credential(error)
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

    async def _async_ask_for_credential(
        self, rejection: str | None = None, outcome: Outcome = Outcome.REJECTED
    ) -> ConfigFlowResult:
        """Go on into the credential form, which comes back to a flow like this one.

        Args:
            rejection: What the server said of the credential of this flow; None to add one.
            outcome: What the server has against it.
        """
        context: ConfigFlowContext = {"source": SOURCE_USER}
        if self.source in {SOURCE_REAUTH, SOURCE_RECONFIGURE}:
            context = self.context
        request = CredentialRequest(
            domain=self.DOMAIN,
            context=context,
            auth_domain=None if rejection is None else self.flow_impl.domain,
            rejection=rejection or "",
            outcome=outcome,
        )
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
