"""Revocation: a token that is no longer needed is taken back (RFC 7009)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .implementation import AuthImplementation
from .token_response import Answer


async def async_revoke(
    implementation: AuthImplementation, token: Mapping[str, Any]
) -> Answer | None:
    """Revoke a token, and return what the server says; None where it has no `revocation_url`.

    The refresh token is revoked, and with it, at most servers, the access tokens that came of it;
    where there is none, the access token is (RFC 7009, section 2.1).

    Raises:
        UnavailableError: There is no answer.
    """
    if (url := implementation.authorization_server.revocation_url) is None:
        return None
    hint = "refresh_token" if token.get("refresh_token") else "access_token"
    endpoint = replace(implementation.token_endpoint, url=url)
    return await endpoint.async_post({"token": token[hint], "token_type_hint": hint})
