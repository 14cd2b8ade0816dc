"""How a client authenticates at the token endpoint (RFC 6749, section 2.3).

With `client_secret_post` (id and secret in the body), with `client_secret_basic` (both form-encoded
in an Authorization header), with `client_secret_basic_unencoded` (as they are, for servers that do
not decode them), or with `none` (its id in the body).
"""

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus

from aiohttp import hdrs

from .client import ClientAuthMethod, DeveloperCredential


def authenticated(
    credential: DeveloperCredential, auth_method: ClientAuthMethod, data: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return body and headers of a request that the client makes (RFC 6749, section 2.3.1)."""
    if auth_method == "none" or not credential.client_secret:
        return {**data, "client_id": credential.client_id}, {}
    if auth_method != "client_secret_post":
        pair = (credential.client_id, credential.client_secret)
        if auth_method == "client_secret_basic":
            pair = (quote_plus(credential.client_id), quote_plus(credential.client_secret))
        basic = base64.b64encode(":".join(pair).encode()).decode()
        return dict(data), {hdrs.AUTHORIZATION: f"Basic {basic}"}
    return {
        **data,
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
    }, {}
