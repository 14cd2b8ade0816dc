"""Tests of the values."""

from collections.abc import Callable, Mapping
import copy
import dataclasses
from typing import get_type_hints

import pytest

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
from custom_components.developer_credentials.oauth2.server import (
    ClientAuthMethod,
    InvalidServerError,
    ServerFields,
)
from tests.common import SENTINEL

URL = "https://cloud.example/authorize"


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud.example/authorize",
        "https://cloud.example:8443/authorize?tenant=1",
        "http://127.0.0.1:8120/authorize",
        "http://[::1]/authorize",
        "http://192.168.1.4/authorize",
        "http://nas/authorize",
        "http://nas.local/authorize",
        "http://auth.home.arpa/authorize",
        "http://auth.internal/authorize",
        "http://auth.localhost/authorize",
        "http://localhost/authorize",
    ],
)
def test_endpoints(url: str) -> None:
    """An endpoint is an https URL, or an http URL of this machine or the local network."""
    server = AuthorizationServer(url, url)
    assert (server.authorize_url, server.token_url) == (url, url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://cloud.example/authorize", "must use https, since cloud.example is not a local"),
        ("http://8.8.8.8/authorize", "must use https"),
        ("http://local.example/authorize", "must use https"),
        ("https://cloud.example/authorize#top", "has a fragment"),
        ("https://cloud.example/authorize#", "has a fragment"),
        ("cloud.example/authorize", "is not an absolute http or https URL"),
        ("/authorize", "is not an absolute http or https URL"),
        ("https://", "is not a"),
        ("https://user:pw@cloud.example/authorize", "has a user name or password"),
        ("https://user@cloud.example/authorize", "has a user name or password"),
        ("http://134744072/authorize", "must use https"),
        ("http://0x8080808/authorize", "must use https"),
        ("ftp://cloud.example/authorize", "is not an absolute http or https URL"),
        ("javascript:alert(1)", "is not an absolute http or https URL"),
        ("http://[::1/authorize", "is not a URL"),
        ("", "is not an absolute http or https URL"),
        (1, "is not a URL"),
    ],
)
@pytest.mark.parametrize(
    "field",
    [
        "authorize_url",
        "token_url",
        "revocation_url",
        "device_authorization_url",
        "registration_url",
    ],
)
def test_bad_endpoints(field: str, url: object, reason: str) -> None:
    """A URL that cannot be an endpoint is refused, and the text names the field."""
    with pytest.raises(ValueError, match=f"{field} {reason}"):
        _server({field: url})


@pytest.mark.parametrize("field", ["authorize_url", "token_url"])
def test_missing_endpoints(field: str) -> None:
    """The authorization endpoint and the token endpoint are required."""
    with pytest.raises(ValueError, match=f"{field} is not a URL"):
        _server({field: None})


def _server(fields: Mapping[str, object]) -> AuthorizationServer:
    """Return a server with fields that the type checker would not let pass."""
    make: Callable[..., AuthorizationServer] = AuthorizationServer
    return make(**{"authorize_url": URL, "token_url": URL, **fields})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("scopes", "read write", "is not a list"),
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
        ("default_expires_in", 2**31, "is not a number of seconds"),
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
    "token_params": (
        "grant_type client_id client_secret code code_verifier redirect_uri refresh_token"
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


@pytest.mark.parametrize(
    ("pasted", "clean"),
    [
        (" id ", "id"),
        ("\tid\r\n", "id"),
        ("\u200bid\ufeff", "id"),
        ("i\u200dd", "id"),
        ("\u2060 id \u00ad", "id"),
        ("\u00a0id\u3000", "id"),
        ("i d", "i d"),
        ("ünï-日本", "ünï-日本"),
    ],
)
def test_pasted_values(pasted: str, clean: str) -> None:
    """White space around id and secret, and zero-width characters in them, are removed."""
    assert DeveloperCredential(pasted, pasted) == DeveloperCredential(clean, clean)


@pytest.mark.parametrize("secret", ["%&+='\"\\ü日本", "a b", "a\u0600b", "s" * 4096, ""])
def test_secrets_stay_as_they_are(secret: str) -> None:
    """Nothing else of a secret is changed."""
    assert DeveloperCredential("id", secret).client_secret == secret


def test_names_stay_as_they_are() -> None:
    """A name may have any character; only white space around it is removed."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467 family"
    assert DeveloperCredential("id", name=f" {family}\n").name == family


@pytest.mark.parametrize("client_id", ["", "  ", "\u200b"])
def test_empty_client_id(client_id: str) -> None:
    """A credential has a client id."""
    with pytest.raises(ValueError, match="client_id is empty"):
        DeveloperCredential(client_id, "secret")


def test_secret_is_not_shown() -> None:
    """Neither the representation nor the text of a credential has the secret."""
    credential = DeveloperCredential("id", SENTINEL, "My app")
    assert SENTINEL not in repr(credential)
    assert str(credential) == "My app"
    assert str(DeveloperCredential("id", SENTINEL, " ")) == "id"
