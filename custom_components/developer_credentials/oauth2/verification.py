"""Verification: does the server know this client?

Nothing is asked of the user. The token endpoint gets an authorization code that nobody issued: a
server that accepts the client refuses the code, one that does not refuses the client (RFC 6749,
section 5.2). It is judged as a refresh is (`error_codes`). Before a client counts as
rejected, the other ways to authenticate are tried, three in all; but not without its secret where
that is not declared, which would prove nothing. The authorization endpoint is asked too, for it has
to show an error itself where client id or redirect URI are wrong (section 4.1.2.1), and would leave
the user there.

Every other answer, and none, is inconclusive.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
import secrets
from typing import Final

from aiohttp import ClientError, ClientTimeout
from homeassistant.core import HomeAssistant
from yarl import URL

from .client import AUTH_METHODS, ClientAuthMethod, DeveloperCredential, Objection
from .client_authentication import authenticated
from .errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRedirectUriError,
    RefusedError,
    TokenRequestError,
    UnavailableError,
)
from .http_session import async_get_session
from .pkce import code_challenge_of, generate_code_verifier
from .server import AuthorizationServer
from .token_endpoint import TokenEndpoint
from .token_response import Answer, async_content, parse_answer

# Seconds for all requests together, and for each.
TIMEOUT: Final = 10.0
# Servers count failed attempts.
MAX_ATTEMPTS: Final = 3


class Outcome(StrEnum):
    """What a verification came to."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REDIRECT_URI_REJECTED = "redirect_uri_rejected"
    INCONCLUSIVE = "inconclusive"


# What the server has against a client.
OBJECTIONS: Final[dict[Outcome, Objection]] = {
    Outcome.REJECTED: "rejected",
    Outcome.REDIRECT_URI_REJECTED: "redirect_uri_rejected",
}

# The server has something against the client.
REJECTIONS: Final = OBJECTIONS.keys()

# The server knows the client.
KNOWN: Final = {Outcome.ACCEPTED, Outcome.REDIRECT_URI_REJECTED}


@dataclass(frozen=True)
class Verification:
    """The result of a verification.

    Attributes:
        outcome: What it came to.
        detail: The server's words, plain and short; empty without any.
        credential: The client, with the way to authenticate by which it was accepted, and with
            what the server has against it, where it has said anything.
        answered: Whether the server has answered; if not, the network may be down.
    """

    outcome: Outcome
    detail: str
    credential: DeveloperCredential
    answered: bool = True


async def async_verify(
    hass: HomeAssistant,
    server: AuthorizationServer,
    credential: DeveloperCredential,
    redirect_uri: str,
    *,
    accepted_before: bool = False,
) -> Verification:
    """Return whether the server knows the client, after ten seconds at most; never raises.

    Args:
        hass: Home Assistant.
        server: The authorization server.
        credential: The client.
        redirect_uri: The redirect URI that the login will have.
        accepted_before: Whether the server has accepted the client before, with another secret or
            this one. Where it does not by the declared method, no other one is tried then: servers
            count failed attempts.
    """
    if server.authorize_url is None:
        # The client may have no grant that could be asked for here.
        return Verification(Outcome.INCONCLUSIVE, "", credential)
    inquiry = _Inquiry(hass, server, credential, redirect_uri)
    verification = inquiry.unanswered
    with suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            verification = await inquiry.async_ask_token_endpoint(accepted_before=accepted_before)
            if verification.outcome in {Outcome.ACCEPTED, Outcome.INCONCLUSIVE} and (
                refusal := await inquiry.async_ask_login_page(server.authorize_url)
            ):
                verification = replace(
                    verification,
                    outcome=Outcome.REDIRECT_URI_REJECTED,
                    detail=_words(refusal),
                )
    if verification.outcome is Outcome.INCONCLUSIVE:
        return verification
    objection = OBJECTIONS.get(verification.outcome)
    return replace(verification, credential=verification.credential.with_objection(objection))


async def async_verify_at_token_endpoint(
    hass: HomeAssistant,
    server: AuthorizationServer,
    credential: DeveloperCredential,
    redirect_uri: str,
) -> Verification:
    """Return whether the token endpoint knows the client, after ten seconds at most; never raises.

    For what no user has asked for: the login page is left alone, which may count who opens it.

    Args:
        hass: Home Assistant.
        server: The authorization server.
        credential: The client.
        redirect_uri: The redirect URI that a login would have.
    """
    inquiry = _Inquiry(hass, server, credential, redirect_uri)
    verification = inquiry.unanswered
    with suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            verification = await inquiry.async_ask_token_endpoint(accepted_before=False)
    return verification


class _Inquiry:
    """The requests of one verification; they have what those of a login will have.

    Attributes:
        credential: The client, without a method that proves nothing.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        server: AuthorizationServer,
        credential: DeveloperCredential,
        redirect_uri: str,
    ) -> None:
        """Initialize with a code verifier where the login will have one."""
        self._hass = hass
        self._server = server
        self._declared: ClientAuthMethod = server.token_endpoint_auth_method
        if not self._proves(credential.token_endpoint_auth_method):
            # A secret is there to be sent.
            credential = replace(credential, token_endpoint_auth_method=None)
        self.credential = credential
        self._redirect_uri = redirect_uri
        self._code_verifier = generate_code_verifier() if server.uses_pkce(credential) else None

    @property
    def unanswered(self) -> Verification:
        """What there is to say without an answer."""
        return Verification(Outcome.INCONCLUSIVE, "", self.credential, answered=False)

    async def async_ask_token_endpoint(self, *, accepted_before: bool) -> Verification:
        """Return what the token endpoint thinks of the client, by each way to authenticate."""
        method = self._server.auth_method_of(self.credential)
        answer = await self._async_ask(method)
        verification = self._judged(answer, method)
        # Some servers refuse a request that authenticates in a way that they do not know.
        is_refused = answer is not None and answer.kind in {InvalidClientError, RefusedError}
        if not is_refused or not self.credential.client_secret:
            return verification
        if (
            accepted_before
            and method == self._declared
            and answer is not None
            and answer.error.lower() == "invalid_client"
        ):
            return verification
        for other in self._other_methods(method):
            second_answer = await self._async_ask(other)
            second = self._judged(second_answer, other)
            if second.outcome in KNOWN:
                return second
            if second_answer is None or second_answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                # It might have accepted the client in this way.
                return second
        return verification

    def _other_methods(self, method: ClientAuthMethod) -> list[ClientAuthMethod]:
        """Return the ways to authenticate that are left to try, each of which is another request.

        With the first one there are three at the most.
        """
        asked = [authenticated(self.credential, method, {})]
        others: list[ClientAuthMethod] = []
        methods: tuple[ClientAuthMethod, ...] = (self._declared, *AUTH_METHODS)
        for other in methods:
            request = authenticated(self.credential, other, {})
            if self._proves(other) and request not in asked:
                asked.append(request)
                others.append(other)
        return others[: MAX_ATTEMPTS - 1]

    def _proves(self, method: ClientAuthMethod | None) -> bool:
        """Return whether being accepted by a method says something of a client with a secret."""
        return method != "none" or self._declared == "none"

    async def _async_ask(self, method: ClientAuthMethod) -> Answer | None:
        """Return what the token endpoint says to a code that nobody issued; None without answer."""
        endpoint = TokenEndpoint(
            self._hass,
            self._server.token_url,
            self.credential,
            method,
            domain="",
            request_format=self._server.token_request_format,
        )
        data = {
            **self._server.token_request_params("authorization_code"),
            "grant_type": "authorization_code",
            "code": secrets.token_urlsafe(32),
            "redirect_uri": self._redirect_uri,
        }
        if self._code_verifier:
            data["code_verifier"] = self._code_verifier
        with suppress(UnavailableError):
            return await endpoint.async_post(data)
        return None

    def _judged(self, answer: Answer | None, method: ClientAuthMethod) -> Verification:
        """Return what an answer proves of the client that authenticated by a method."""
        if answer is None:
            return self.unanswered
        outcome = _OUTCOMES.get(answer.kind, Outcome.INCONCLUSIVE)
        credential = self.credential
        if outcome in KNOWN and credential.client_secret:
            credential = replace(
                credential,
                token_endpoint_auth_method=None if method == self._declared else method,
            )
        return Verification(outcome, _words(answer), credential)

    async def async_ask_login_page(self, authorize_url: str) -> Answer | None:
        """Return how the authorization endpoint refuses the request; None where it does not."""
        url = URL(authorize_url).update_query(
            response_type="code",
            client_id=self.credential.client_id,
            redirect_uri=self._redirect_uri,
            state=secrets.token_urlsafe(32),
            **self._server.extra_authorize_data,
        )
        if self._code_verifier:
            url = url.update_query(code_challenge_of(self._code_verifier))
        try:
            async with async_get_session(self._hass).get(
                url, allow_redirects=False, timeout=ClientTimeout(total=TIMEOUT)
            ) as response:
                if response.status != HTTPStatus.BAD_REQUEST:
                    return None
                content = await async_content(response)
                return parse_answer(response.status, response.headers, content, ())
        except ClientError, TimeoutError:
            return None


def _words(answer: Answer) -> str:
    """Return what a server says of an error, plain and short; empty where it says nothing."""
    return ": ".join(text for text in (answer.error, answer.error_description) if text)


_OUTCOMES: Final[dict[type[TokenRequestError] | None, Outcome]] = {
    InvalidGrantError: Outcome.ACCEPTED,
    InvalidRedirectUriError: Outcome.REDIRECT_URI_REJECTED,
    InvalidClientError: Outcome.REJECTED,
}
