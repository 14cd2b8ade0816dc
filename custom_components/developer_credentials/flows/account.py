"""Whose account a login is for: what the integration says, and what servers say of it.

Many servers tell it by OpenID Connect: in a JWT, which comes with the token, or at the userinfo
endpoint.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientResponseError, ClientTimeout, RequestInfo, hdrs
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import json_loads_object
import jwt
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ..oauth2.endpoint_url import check_endpoint
from ..oauth2.http_session import async_get_session
from ..oauth2.token_response import async_read
from ..plain_text import join_surrogates

# Seconds for the request to the userinfo endpoint.
TIMEOUT: Final = 10.0

# What an account may be called by (OpenID Connect Core, section 5.1), the best first.
_TITLE_CLAIMS: Final = ("name", "preferred_username", "email")


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the user at the provider.

    Attributes:
        unique_id: What it is known by, as text, which never changes; it becomes the unique id of
            the config entry.
        title: What its owner calls it, which becomes the title of a new config entry; None for the
            name of the credential.

    Raises:
        ValueError: The unique id is empty, or no text that can be stored.
    """

    unique_id: str
    title: str | None = None

    def __post_init__(self) -> None:
        """Check what the integration has found: it is to be stored."""
        unique_id = self.unique_id
        if (
            not isinstance(unique_id, str)
            or not unique_id
            or join_surrogates(unique_id) != unique_id
        ):
            raise ValueError("The unique id of an account is text, and not empty")


def account_from_jwt(token: str) -> Account:
    """Return the account that a JSON Web Token is about (RFC 7519): its `sub` claim, and a name.

    Its signature is not verified: it is for a token that has just come from the token endpoint,
    such as `data["token"]["id_token"]`, and for nothing that somebody else may have sent.

    Args:
        token: The token, an ID token (OpenID Connect Core, section 2) or an access token that is a
            JWT (RFC 9068).

    Raises:
        ValueError: It is not a JWT, or does not say whose it is.
    """
    claims: Mapping[str, Any] = {}
    # What is raised afterwards does not keep the token.
    with suppress(jwt.InvalidTokenError, ValueError):
        claims = jwt.decode(token, options={"verify_signature": False})
    return _account_of(claims)


async def async_account_from_userinfo(
    hass: HomeAssistant, token: Mapping[str, Any], userinfo_url: str
) -> Account:
    """Return the account that the userinfo endpoint tells (OpenID Connect Core, section 5.3).

    Args:
        hass: Home Assistant.
        token: The token, as it is in `data["token"]`.
        userinfo_url: The endpoint, https, or http to a local host.

    Raises:
        aiohttp.ClientError: The endpoint did not answer, or refused to.
        TimeoutError: It took longer than ten seconds.
        ValueError: The URL cannot be one, or the answer does not say whose the token is.
    """
    check_endpoint("userinfo_url", userinfo_url)
    headers = {
        hdrs.ACCEPT: "application/json",
        hdrs.AUTHORIZATION: f"Bearer {token['access_token']}",
    }
    async with async_get_session(hass).get(
        userinfo_url,
        headers=headers,
        allow_redirects=False,
        timeout=ClientTimeout(total=TIMEOUT),
    ) as response:
        if response.status != HTTPStatus.OK:
            # Exceptions show the headers of their request.
            url = URL(userinfo_url)
            request = RequestInfo(url, hdrs.METH_GET, CIMultiDictProxy(CIMultiDict()), url)
            raise ClientResponseError(request, (), status=response.status)
        answer = await async_read(response.content)
    claims: Mapping[str, Any] = {}
    with suppress(HomeAssistantError, ValueError):
        claims = json_loads_object(answer.removeprefix(BOM_UTF8))
    return _account_of(claims)


def _account_of(claims: Mapping[str, Any]) -> Account:
    """Return the account of claims (OpenID Connect Core, section 5.1).

    Raises:
        ValueError: There is no `sub`.
    """
    subject = claims.get("sub")
    if type(subject) is int:
        # It should be text, which some servers do not know.
        subject = str(subject)
    if not isinstance(subject, str) or not subject:
        raise ValueError("The server does not say whose the token is: there is no sub")
    titles = (claims.get(claim) for claim in _TITLE_CLAIMS)
    return Account(subject, next((one for one in titles if isinstance(one, str) and one), None))
