"""Tests of the error codes: what each means, whatever the status, and what a status means alone."""

import pytest

from custom_components.developer_credentials.oauth2.error_codes import error_class, kind_of
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRedirectUriError,
    InvalidResponseError,
    InvalidScopeError,
    RefusedError,
    TokenRequestError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_client", InvalidClientError),
        ("INVALID_CLIENT", InvalidClientError),
        ("Invalid-Client", InvalidClientError),
        ("invalidClient", InvalidClientError),
        ("oauth.v2.InvalidClientIdentifier", InvalidClientError),
        ("invalid_client_id: no such application", InvalidClientError),
        ("disabled_client", InvalidClientError),
        ("BAD_CLIENT_SECRET", InvalidClientError),
        ("Error validating client secret.", InvalidClientError),
        ("client_id invalid", InvalidClientError),
        ("Client Authentication failed", InvalidClientError),
        ("invalid_grant", InvalidGrantError),
        ("bad_verification_code", InvalidGrantError),
        ("Invalid Params: invalid code", InvalidGrantError),
        ("refresh_token invalid", InvalidGrantError),
        ("redirect_uri_mismatch", InvalidRedirectUriError),
        ("Mismatching redirect URI.", InvalidRedirectUriError),
        ("invalid_scope", InvalidScopeError),
        ("Rate limit exceeded: too early", UnavailableError),
        ("slow_down", UnavailableError),
        ("invalid_request", None),
        ("not an invalid_client", None),
        ("", None),
        ("...:::", None),
        ("invalid_client" * 1000, None),
    ],
)
def test_kind(error: str, kind: type[TokenRequestError] | None) -> None:
    """A code is known by its letters; a sentence, by the part of it that is one."""
    assert kind_of(error) is kind


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        # A server that cannot answer now is believed first.
        (429, "invalid_client", UnavailableError),
        (500, "invalid_grant", UnavailableError),
        (502, "invalid_client", UnavailableError),
        # A known code decides, whatever the status.
        (200, "invalid_client", InvalidClientError),
        (403, "rate_limit_exceeded", UnavailableError),
        (400, "temporarily_unavailable", UnavailableError),
        (404, "invalid_grant", InvalidGrantError),
        (418, "invalid_scope", InvalidScopeError),
        # A redirect is no answer.
        (302, "", InvalidResponseError),
        (307, "invalid_grant", InvalidResponseError),
        # Else the status does.
        (200, "odd", RefusedError),
        (400, "", RefusedError),
        (400, "odd", RefusedError),
        (401, "", RefusedError),
        *((status, "", UnavailableError) for status in (403, 404, 405, 408, 410, 421, 422, 425)),
        (431, "odd", UnavailableError),
    ],
)
def test_class(status: int, error: str, kind: type[TokenRequestError]) -> None:
    """The code decides, then the status; what need not be the server's own is tried again."""
    assert error_class(status, error) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, RefusedError), (410, RefusedError), (422, RefusedError), (404, UnavailableError)],
)
def test_refusal_with_an_error(status: int, kind: type[TokenRequestError]) -> None:
    """A refusal with an error of its own is the authorization server's, where that is usual."""
    assert error_class(status, "odd", says_error=True) is kind


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, "", InvalidClientError),
        (401, "Unauthorized", InvalidClientError),
        (401, "invalid_grant", InvalidGrantError),
        (400, "", RefusedError),
        (403, "", UnavailableError),
    ],
)
def test_basic_challenge(status: int, error: str, kind: type[TokenRequestError]) -> None:
    """A 401 that asks for the client's authentication says that it failed."""
    assert error_class(status, error, basic_challenge=True) is kind
