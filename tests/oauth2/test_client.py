"""Tests of the client: what is pasted is clean, and the secret is not shown."""

import re
from typing import cast

import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.oauth2.client import (
    MAX_CLIENT_ID,
    MAX_NAME,
    ClientAuthMethod,
    misplaced_field,
)
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
from tests.common import SENTINEL


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
        ("wrapped\r\nin two", "wrappedin two"),
        ("nul\x00 esc\x1b tab\t del\x7f next\x85", "nul esc tab del next"),
        (" \x00 id \x00 ", "id"),
        ("line\u2028paragraph\u2029", "lineparagraph"),
        ("\ud83d\ude00", "😀"),
        ("half\ud83d, \ude00half", "half, half"),
    ],
    ids=ascii,
)
def test_pasted_values(pasted: str, clean: str) -> None:
    """What copying from a web page leaves around and in an id and a secret is removed."""
    assert DeveloperCredential(pasted, pasted) == DeveloperCredential(clean, clean)


@pytest.mark.parametrize("secret", ["%&+='\"\\ü日本", "a b", "a\u0600b", "s" * 4096, ""])
def test_secrets_stay_as_they_are(secret: str) -> None:
    """Nothing else of a secret is changed."""
    assert DeveloperCredential("id", secret).client_secret == secret


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (" My *app* ü日本\n", "My *app* ü日本"),
        ("two\nlines\x00", "two lines"),
        ("\u202eppa\u202c in\u200bvisible", "ppa invisible"),
        ("My app \ud83d\ude00\ud83d", "My app 😀"),
        ("x" * 5_000, "x" * (MAX_NAME - 1) + "…"),
        ("\u200b \x00", None),
        (" ", None),
        (None, None),
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_names_are_plain(name: str | None, plain: str | None) -> None:
    """A name is one line of what is written, of a length that can be shown."""
    assert DeveloperCredential("id", name=name).name == plain


def test_values_of_enumerations() -> None:
    """A redirect URI may be named by its value; one that there is not is refused."""
    named = DeveloperCredential("id", redirect_uri=cast(RedirectUri, "own"))
    assert named.redirect_uri is RedirectUri.OWN
    with pytest.raises(ValueError, match="RedirectUri"):
        DeveloperCredential("id", redirect_uri=cast(RedirectUri, "another"))
    with pytest.raises(ValueError, match="token_endpoint_auth_method is unknown"):
        DeveloperCredential("id", token_endpoint_auth_method=cast(ClientAuthMethod, "another"))


@pytest.mark.parametrize("client_id", ["", "  ", "\u200b", "\x00", "\ud83d"], ids=ascii)
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


def test_variables() -> None:
    """Values of variables are clean, a copy, and part of what the client is to the server."""
    values = {"tenant": " home\u200b", "region": " "}
    credential = DeveloperCredential("id", variables=values)
    assert credential.variables == {"tenant": "home"}
    values["tenant"] = "other"
    assert credential.variables == {"tenant": "home"}
    same = DeveloperCredential("id", SENTINEL, "App", variables={"tenant": "home"})
    assert credential.identity == same.identity
    assert credential.identity != DeveloperCredential("id").identity
    assert hash(credential) == hash(DeveloperCredential("id", variables={"tenant": "home"}))
    assert credential != DeveloperCredential("id")


@pytest.mark.parametrize(
    "variables", ["tenant", ["tenant"], {"tenant": 3}, {"Tenant": "a"}, {"a\nb": "c"}, {1: "a"}]
)
def test_bad_variables(variables: object) -> None:
    """Variables are texts by keys that a server could declare."""
    with pytest.raises(ValueError, match="variables are not texts by key"):
        DeveloperCredential("id", variables=cast(dict[str, str], variables))


FILES = [
    '{"web": {"client_id": "x", "client_secret": "S"}}',
    '{"installed": {"client_id": "x", "client_secret": "S"}}',
    '{"client_id": "x", "client_secret": "S"}',
    '[{"client_secret": "S"}]',
    '"client_secret": "S"',
    "{'client_secret': 'S'}",
    "client_id=x\nclient_secret=S",
    "CLIENT_SECRET = S",
    "Client secret: S",
    "clientSecret: S",
]


@pytest.mark.parametrize("text", FILES)
@pytest.mark.parametrize("field", ["client_id", "client_secret", "name"])
def test_files(text: str, field: str) -> None:
    """A provider's file in the place of a value is seen, unless it was there before."""
    values = {"client_id": "id", field: re.sub(r"\bS\b", SENTINEL, text)}
    credential = DeveloperCredential(
        values["client_id"], values.get("client_secret", ""), values.get("name")
    )
    assert misplaced_field(credential) == field
    assert misplaced_field(credential, DeveloperCredential("id")) == field
    assert misplaced_field(credential, credential) is None


@pytest.mark.parametrize("client_id", ["{}", '{"', "a{b}", '"id"', "x" * (MAX_CLIENT_ID + 1)])
def test_no_client_ids(client_id: str) -> None:
    """Braces, quotes and a length that no client id has are seen; in a secret they are right."""
    assert misplaced_field(DeveloperCredential(client_id)) == "client_id"
    assert misplaced_field(DeveloperCredential("id", client_id, client_id)) is None


@pytest.mark.parametrize(
    "client_id",
    [
        "12345",
        "1234-ab.apps.googleusercontent.example",
        "https://client.example/id?a=b&c=%7B",
        "@!1111!0008!A'B(c)|d",
        "amzn1.application-oa2-client.x",
        "my client secret id",
        "ünï-日本",
        "x" * MAX_CLIENT_ID,
    ],
    ids=lambda one: ascii(one)[:20],
)
def test_client_ids(client_id: str) -> None:
    """What providers give as client ids is taken."""
    assert misplaced_field(DeveloperCredential(client_id, "s", "name")) is None
