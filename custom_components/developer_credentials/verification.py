"""Verification: does the server know this client?

Nothing is asked of the user. The token endpoint gets an authorization code that nobody issued: a
server that accepts the client refuses the code, one that does not refuses the client (RFC 6749,
section 5.2). It is judged by the error code, since servers disagree on the status. Before a client
counts as rejected, the other way to authenticate is tried. The authorization endpoint is asked
too, for it has to show an error itself where client id or redirect URI are wrong (section
4.1.2.1), and would leave the user there.

Every other answer, and none, is inconclusive.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
import secrets
from typing import Final

from aiohttp import ClientError
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from yarl import URL

from .errors import INVALID_CLIENT_CODES, REDIRECT_URI_CODES, UnavailableError
from .models import AuthorizationServer, ClientAuthMethod, DeveloperCredential
from .token_endpoint import Answer, TokenEndpoint

# Seconds for all requests together.
TIMEOUT: Final = 10.0

# How servers refuse the code, beside RFC 6749's name for it.
_INVALID_CODE_CODES: Final = frozenset(
    {"invalid_grant", "invalid_code", "bad_verification_code", "invalid_authorization_code"}
)


class Outcome(StrEnum):
    """What a verification came to."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REDIRECT_URI_REJECTED = "redirect_uri_rejected"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification.

    Attributes:
        outcome: What it came to.
        detail: The server's words, plain and short; empty without any.
        auth_method: How the client was accepted, None where it was not.
    """

    outcome: Outcome
    detail: str = ""
    auth_method: ClientAuthMethod | None = None


async def async_verify(
    hass: HomeAssistant,
    server: AuthorizationServer,
    credential: DeveloperCredential,
    redirect_uri: str,
) -> Verification:
    """Return whether the server knows the client, after ten seconds at most; never raises.

    Args:
        hass: Home Assistant.
        server: The authorization server.
        credential: The client.
        redirect_uri: The redirect URI that the login will have.
    """
    verification = Verification(Outcome.INCONCLUSIVE)
    with suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            verification = await _async_ask_token_endpoint(hass, server, credential, redirect_uri)
            if verification.outcome in {Outcome.ACCEPTED, Outcome.INCONCLUSIVE} and (
                await _async_is_refused_by_login_page(hass, server, credential, redirect_uri)
            ):
                verification = replace(
                    verification, outcome=Outcome.REDIRECT_URI_REJECTED, detail=""
                )
    return verification


async def _async_ask_token_endpoint(
    hass: HomeAssistant,
    server: AuthorizationServer,
    credential: DeveloperCredential,
    redirect_uri: str,
) -> Verification:
    async def ask(method: ClientAuthMethod) -> Verification:
        endpoint = TokenEndpoint(hass, server.token_url, credential, method, domain="")
        data = {
            "grant_type": "authorization_code",
            "code": secrets.token_urlsafe(32),
            "redirect_uri": redirect_uri,
        }
        try:
            return _judge(await endpoint.async_post(data), method)
        except UnavailableError:
            return Verification(Outcome.INCONCLUSIVE)

    verification = await ask("client_secret_post")
    if verification.outcome is Outcome.REJECTED and credential.client_secret:
        other = await ask("client_secret_basic")
        if other.auth_method:
            return other
    return verification


def _judge(answer: Answer, method: ClientAuthMethod) -> Verification:
    """Return what an answer of the token endpoint means."""
    detail = ": ".join(text for text in (answer.error, answer.error_description) if text)
    if answer.error in _INVALID_CODE_CODES:
        return Verification(Outcome.ACCEPTED, detail, method)
    if answer.error in REDIRECT_URI_CODES:
        return Verification(Outcome.REDIRECT_URI_REJECTED, detail, method)
    if answer.error in INVALID_CLIENT_CODES:
        return Verification(Outcome.REJECTED, detail)
    return Verification(Outcome.INCONCLUSIVE, detail)


async def _async_is_refused_by_login_page(
    hass: HomeAssistant,
    server: AuthorizationServer,
    credential: DeveloperCredential,
    redirect_uri: str,
) -> bool:
    """Return whether the authorization endpoint calls the request a bad one."""
    url = URL(server.authorize_url).update_query(
        response_type="code",
        client_id=credential.client_id,
        redirect_uri=redirect_uri,
        state=secrets.token_urlsafe(32),
    )
    try:
        async with async_get_clientsession(hass).get(url, allow_redirects=False) as response:
            return response.status == HTTPStatus.BAD_REQUEST
    except ClientError, TimeoutError:
        return False
