"""Tests of the values."""

import dataclasses

import pytest

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
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
        ("ftp://cloud.example/authorize", "is not an absolute http or https URL"),
        ("javascript:alert(1)", "is not an absolute http or https URL"),
        ("http://[::1/authorize", "is not a URL"),
        ("", "is not an absolute http or https URL"),
        (None, "is not a URL"),
    ],
)
@pytest.mark.parametrize("field", ["authorize_url", "token_url"])
def test_bad_endpoints(field: str, url: str, reason: str) -> None:
    """A URL that cannot be an endpoint is refused, and the text names the field."""
    values = {"authorize_url": URL, "token_url": URL} | {field: url}
    with pytest.raises(ValueError, match=f"{field} {reason}"):
        AuthorizationServer(**values)


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
