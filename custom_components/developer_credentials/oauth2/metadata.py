"""Server metadata: an authorization server that says itself what it is (RFC 8414).

The document of an issuer stands at a well-known address: that of RFC 8414, where the path of the
issuer comes last, or that of OpenID Connect Discovery, where it comes first or, as RFC 8414 takes
that over (section 5), last as well. They are tried in this order. Redirects are not followed, and a
document is read to 64 KiB. It is kept for a day, in memory.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping
from http import HTTPStatus
import time
from typing import Any, Final, NamedTuple, Unpack

from aiohttp import ClientError, ClientTimeout
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.json import json_loads_object
from yarl import URL

from ..const import DOMAIN, LOGGER
from ..plain_text import plain_line
from .client import AUTH_METHODS, ClientAuthMethod
from .endpoint_url import check_endpoint, is_public_host
from .errors import InvalidServerError
from .http_session import async_get_session
from .server import AuthorizationServer, ServerFields
from .single_flight import async_join
from .token_response import async_read

# Seconds: for one request, and for how long a document is good.
TIMEOUT: Final = 10.0
MAX_AGE: Final = 24 * 60 * 60.0


class _Document(NamedTuple):
    """The metadata of an issuer, and when it came, in seconds of the monotonic clock."""

    fields: Mapping[str, Any]
    time: float


_DATA_DOCUMENTS: HassKey[dict[str, _Document]] = HassKey(f"{DOMAIN}_metadata")


async def async_discover_authorization_server(
    hass: HomeAssistant, issuer: str, **overrides: Unpack[ServerFields]
) -> AuthorizationServer:
    """Return the authorization server that an issuer's metadata describes.

    Its endpoints are taken from there (RFC 8414, section 2), S256 where it is listed, and how
    clients authenticate. A public issuer's endpoints are public and https. A client without a
    secret has a code challenge, whatever is listed (RFC 9700, section 2.1.1).

    Args:
        hass: Home Assistant.
        issuer: The issuer identifier, letter by letter as the server has it.
        overrides: Fields of the `AuthorizationServer`, in the place of what is found.

    Raises:
        ImplementationUnavailableError: There is no metadata to be had now.
        InvalidServerError: A ValueError. The issuer cannot be one, the document is another
            issuer's (RFC 8414, section 3.3), or what it says cannot be.
    """
    check_endpoint("issuer", issuer)
    if "?" in issuer:
        raise InvalidServerError("issuer has a query")
    documents = hass.data.setdefault(_DATA_DOCUMENTS, {})
    document = documents.get(issuer)
    if document is None or time.monotonic() - document.time > MAX_AGE:

        async def fetch() -> _Document:
            return _Document(await _async_fetch(hass, issuer), time.monotonic())

        try:
            document = await async_join(hass, ("metadata", issuer), fetch)
        except ImplementationUnavailableError:
            # Yesterday's is better than none.
            if document is None:
                raise
    public = is_public_host(URL(issuer).raw_host or "")
    server = _server(document.fields, overrides, public=public)
    # Only what can be used is worth keeping.
    documents[issuer] = document
    return server


async def _async_fetch(hass: HomeAssistant, issuer: str) -> Mapping[str, Any]:
    """Return the metadata of an issuer from the first address that has it."""
    other: object = None
    for url in _well_known_urls(issuer):
        answer = await _async_get(hass, url)
        try:
            # RFC 8259, section 8.1, lets a byte order mark be ignored.
            fields = json_loads_object(answer.removeprefix(BOM_UTF8))
        except HomeAssistantError, ValueError:
            continue
        if fields.get("issuer") == issuer:
            return fields
        other = other or fields.get("issuer")
    if other:
        # Every user may read the error; what the server says, only who reads the log.
        LOGGER.debug("The metadata of %s has the issuer %s", issuer, plain_line(str(other)))
        raise InvalidServerError("issuer is another one in its own metadata")
    raise ImplementationUnavailableError(f"{issuer} has no metadata")


async def _async_get(hass: HomeAssistant, url: URL) -> bytes:
    """Return what stands at an address; nothing where there is no document."""
    try:
        async with async_get_session(hass).get(
            url, allow_redirects=False, timeout=ClientTimeout(total=TIMEOUT)
        ) as response:
            if response.status != HTTPStatus.OK:
                return b""
            return await async_read(response.content)
    except (ClientError, TimeoutError) as err:
        reason = f"{url.host} does not answer: {type(err).__name__}"
    # Not within: what is raised there keeps the request.
    raise ImplementationUnavailableError(reason)


def _well_known_urls(issuer: str) -> list[URL]:
    """Return the addresses of an issuer's metadata (RFC 8414, sections 3.1 and 5), each once."""
    url = URL(issuer)
    path = url.raw_path.removesuffix("/")
    paths = (
        f"/.well-known/oauth-authorization-server{path}",
        f"/.well-known/openid-configuration{path}",
        f"{path}/.well-known/openid-configuration",
    )
    return [url.with_path(one, encoded=True) for one in dict.fromkeys(paths)]


def _server(
    fields: Mapping[str, Any], overrides: ServerFields, *, public: bool
) -> AuthorizationServer:
    """Return the server that the fields of a document describe, which may have to be public."""
    found: ServerFields = {
        # Not there where no grant needs it (RFC 8414, section 2).
        "authorize_url": fields.get("authorization_endpoint"),
        "token_url": fields.get("token_endpoint", ""),
    }
    for name, url in found.items():
        if url is not None and name not in overrides:
            check_endpoint(name, url, public=public)
    found["revocation_url"] = _optional(fields, "revocation_endpoint", public=public)
    found["device_authorization_url"] = _optional(
        fields, "device_authorization_endpoint", public=public
    )
    found["registration_url"] = _optional(fields, "registration_endpoint", public=public)
    challenges = fields.get("code_challenge_methods_supported")
    if isinstance(challenges, list) and "S256" in challenges:
        found["pkce"] = True
    if "token_endpoint_auth_method" not in overrides:
        found["token_endpoint_auth_method"] = _auth_method(fields)
    found.update(overrides)
    return AuthorizationServer(**found)


def _optional(fields: Mapping[str, Any], name: str, *, public: bool) -> str | None:
    """Return an endpoint that a server may do without, None where it cannot be one."""
    url = fields.get(name)
    try:
        check_endpoint(name, url, public=public)
    except InvalidServerError:
        return None
    return url


def _auth_method(fields: Mapping[str, Any]) -> ClientAuthMethod:
    """Return how clients authenticate, where there are several ways the one that is least trouble.

    Post is, since servers disagree on the encoding within basic.
    """
    # What a server supports that does not tell (RFC 8414, section 2).
    supported = fields.get("token_endpoint_auth_methods_supported")
    if supported is None:
        supported = ["client_secret_basic"]
    for method in AUTH_METHODS if isinstance(supported, list) else ():
        if method in supported:
            return method
    raise InvalidServerError("token_endpoint_auth_method is none that the metadata lists")
