"""Tests of the authorization server: a value that is checked when it is made."""

from collections.abc import Callable, Mapping
import copy
import dataclasses
from typing import get_type_hints

import pytest

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.errors import InvalidServerError
from custom_components.developer_credentials.oauth2.server import ServerFields
from tests.common import SENTINEL

URL = "https://cloud.example/authorize"


def _server(fields: Mapping[str, object]) -> AuthorizationServer:
    """Return a server with fields that the type checker would not let pass."""
    make: Callable[..., AuthorizationServer] = AuthorizationServer
    return make(**{"authorize_url": URL, "token_url": URL, **fields})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("scopes", "read write", r"is a text; write a list of texts: \['read', 'write'\]"),
        ("scope_separator", "", "is not text"),
        ("scope_separator", None, "is not text"),
        ("token_request_format", "xml", "is neither form nor json"),
        ("token_url", None, "is not a URL"),
        ("variables", "tenant", "is not a list"),
        ("variables", ["tenant"], "has something that is no ServerVariable"),
        ("scopes", {"read"}, "is not a list"),
        ("scopes", ["read", "a b"], "has 'a b', which is no scope"),
        ("scopes", [""], "has '', which is no scope"),
        ("scopes", ['"'], "has '\"', which is no scope"),
        ("scopes", ["\\"], "has"),
        ("scopes", ["ü"], "has 'ü', which is no scope"),
        ("scopes", [1], "has 1, which is no scope"),
        ("pkce", "S256", "is neither True, False nor None"),
        ("pkce", 1, "is neither True, False nor None"),
        ("token_endpoint_auth_method", "private_key_jwt", "is none of client_secret_post, client"),
        ("token_endpoint_auth_method", None, "is none of"),
        ("authorize_params", [("a", "b")], "is not a mapping"),
        ("authorize_params", {"a": 1}, "has 'a', which is not text"),
        ("authorize_params", {1: "a"}, "has 1, which is not text"),
        ("authorize_params", {"state": "a"}, "has 'state', which the request has by itself"),
        ("authorize_params", {"scope": "a"}, "has 'scope', which the request has by itself"),
        ("authorize_params", {"code_challenge": "a"}, "has 'code_challenge', which"),
        ("token_params", None, "is not a mapping"),
        ("token_params", {"a": None}, "has 'a', which is not text"),
        ("token_params", {"grant_type": "a"}, "has 'grant_type', which the request has by"),
        ("token_params", {"client_secret": "a"}, "has 'client_secret', which the request has"),
        ("default_expires_in", 0, "is not a number of seconds"),
        ("default_expires_in", -1, "is not a number of seconds"),
        ("default_expires_in", 60.0, "is not a number of seconds"),
        ("default_expires_in", True, "is not a number of seconds"),
        ("default_expires_in", "60", "is not a number of seconds"),
    ],
)
def test_bad_fields(field: str, value: object, reason: str) -> None:
    """A value that cannot be is refused when the server is made, and the text names the field."""
    with pytest.raises(InvalidServerError, match=f"^{field} {reason}"):
        _server({field: value})


OWN_PARAMS = {
    "authorize_params": (
        "response_type client_id redirect_uri scope state code_challenge code_challenge_method"
    ),
    **dict.fromkeys(
        ("token_params", "code_params", "refresh_params"),
        "grant_type client_id client_secret code code_verifier redirect_uri refresh_token",
    ),
}


@pytest.mark.parametrize(
    ("field", "name"),
    [(field, name) for field, names in OWN_PARAMS.items() for name in names.split()],
)
def test_own_parameters(field: str, name: str) -> None:
    """No parameter is declared that a request has by itself."""
    with pytest.raises(InvalidServerError, match=f"{field} has '{name}', which the request has"):
        _server({field: {name: "value"}})


@pytest.mark.parametrize(
    ("field", "params"),
    [
        ("authorize_params", {"response_type": "code"}),
        ("code_params", {"grant_type": "authorization_code"}),
        ("refresh_params", {"grant_type": "refresh_token"}),
    ],
)
def test_repeated_parameters(field: str, params: dict[str, str]) -> None:
    """A parameter with the value that the request has anyway does no harm."""
    assert getattr(_server({field: params}), field) == params


def test_endless_lifetime() -> None:
    """A lifetime of centuries is the longest that can be kept."""
    assert _server({"default_expires_in": 3_153_600_000}).default_expires_in == 2**31 - 1


def test_without_login_page() -> None:
    """A server whose grants need no login page has no authorization endpoint."""
    assert AuthorizationServer(None, URL).authorize_url is None


def test_scope_separator() -> None:
    """Scopes are separated as the server wants it."""
    server = _server({"scopes": ["a", "b"], "scope_separator": ","})
    assert server.extra_authorize_data == {"scope": "a,b"}


def test_params_of_a_grant() -> None:
    """What requests have besides depends on the grant; the more special goes first."""
    server = _server(
        {
            "token_params": {"a": "both", "b": "both"},
            "code_params": {"b": "code"},
            "refresh_params": {"b": "refresh"},
        }
    )
    assert server.token_request_params("authorization_code") == {"a": "both", "b": "code"}
    assert server.token_request_params("refresh_token") == {"a": "both", "b": "refresh"}
    assert server.token_request_params("password") == {"a": "both", "b": "both"}


def test_all_fields() -> None:
    """Every field holds what it is given; lists and mappings as they were at that time."""
    scopes, params = ["read", "https://cloud.example/write#1", "*"], {"audience": "api"}
    server = AuthorizationServer(
        URL,
        URL,
        scopes=scopes,
        pkce=False,
        token_endpoint_auth_method="none",
        authorize_params=params,
        token_params=params,
        default_expires_in=2**31 - 1,
        revocation_url=URL,
        device_authorization_url=URL,
        registration_url=URL,
    )
    scopes.clear()
    params["audience"] = "other"
    assert server.extra_authorize_data == {
        "scope": "read https://cloud.example/write#1 *",
        "audience": "api",
    }
    assert server.token_params == {"audience": "api"}
    assert server == dataclasses.replace(server) == copy.deepcopy(server)
    assert hash(server) == hash(copy.deepcopy(server))
    assert dataclasses.asdict(server)["token_params"] == {"audience": "api"}


def test_extra_fields_are_named() -> None:
    """Only the two endpoints may be given without their names."""
    make: Callable[..., AuthorizationServer] = AuthorizationServer
    with pytest.raises(TypeError):
        make(URL, URL, ["read"])


def test_server_fields() -> None:
    """`ServerFields`, which types the overrides of discovery, has the fields of the server."""
    fields = {field.name: field.type for field in dataclasses.fields(AuthorizationServer)}
    assert get_type_hints(ServerFields) == fields


@pytest.mark.parametrize(
    ("declared", "kept", "secret", "method"),
    [
        ("client_secret_post", None, SENTINEL, "client_secret_post"),
        ("client_secret_basic", None, SENTINEL, "client_secret_basic"),
        ("client_secret_post", "client_secret_basic", SENTINEL, "client_secret_basic"),
        ("none", None, SENTINEL, "none"),
        ("none", "client_secret_post", SENTINEL, "client_secret_post"),
        ("client_secret_basic", "client_secret_post", "", "none"),
    ],
)
def test_auth_method(
    declared: ClientAuthMethod, kept: ClientAuthMethod | None, secret: str, method: str
) -> None:
    """A client authenticates as it was found to, else as declared; without a secret not at all.

    Without a secret to send, its logins have a code challenge, unless the server is declared to
    want none.
    """
    credential = DeveloperCredential("id", secret, token_endpoint_auth_method=kept)
    server = AuthorizationServer(URL, URL, token_endpoint_auth_method=declared)
    assert server.auth_method_of(credential) == method
    assert server.uses_pkce(credential) is (method == "none")
    for pkce in (True, False):
        assert dataclasses.replace(server, pkce=pkce).uses_pkce(credential) is pkce


def test_server_is_a_value() -> None:
    """A server compares by its fields and cannot be changed."""
    server = AuthorizationServer(authorize_url=URL, token_url=URL)
    assert server == AuthorizationServer(URL, URL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        server.token_url = "https://other.example"  # type: ignore[misc]
