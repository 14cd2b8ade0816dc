"""Whatever comes in: nothing is raised that is not ours, and no credential is lost or altered.

`FUZZ_EXAMPLES` sets how many examples each test has; the ordinary suite has few.
"""

import asyncio
from collections.abc import Callable, Iterator
from html import escape
import json
import os
from typing import Any, Final
from urllib.parse import quote, quote_plus

from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
from yarl import URL

from custom_components.developer_credentials import AuthImplementation, DeveloperCredential
from custom_components.developer_credentials.credentials.yaml_import import async_import_items
from custom_components.developer_credentials.credentials.yaml_reader import (
    CONFIG_SCHEMA,
    YamlItem,
    async_check_items,
)
from custom_components.developer_credentials.oauth2.errors import TokenRequestError
from custom_components.developer_credentials.oauth2.token_endpoint import TokenEndpoint
from custom_components.developer_credentials.websocket_api import COMMANDS
from tests.common import PLATFORM, SENTINEL, add_credential, entry_of, issue_ids, stored
from tests.conftest import Install
from tests.recording_server import RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

FUZZ: Final = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "50")),
    deadline=None,
    database=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    # One Home Assistant for all examples: they may not depend on one another anyway.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Any text that JSON can carry.
TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NUMBERS: Final = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS: Final = st.none() | st.booleans() | NUMBERS | TEXT
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS: Final = sorted(
    {field for _, required, optional in COMMANDS.values() for field in required + optional}
)


@given(client_id=TEXT, client_secret=TEXT, name=st.none() | TEXT)
@FUZZ
def test_credential(client_id: str, client_secret: str, name: str | None) -> None:
    """A credential is made of any text that leaves a client id, and is clean then."""
    try:
        credential = DeveloperCredential(client_id, client_secret, name)
    except ValueError:
        assert DeveloperCredential(f"{client_id}a").client_id == "a"
        return
    again = DeveloperCredential(credential.client_id, credential.client_secret, credential.name)
    assert again == credential
    assert credential.client_id in client_id or len(credential.client_id) < len(client_id)
    if len(credential.client_secret) > 12:
        assert credential.client_secret not in repr(
            DeveloperCredential("id", credential.client_secret, "name")
        )


@given(items=st.lists(VALUES | st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUES), max_size=4))
@FUZZ
async def test_yaml(hass: HomeAssistant, items: list[Any]) -> None:
    """Any list is read; what is no credential is told, and the others are imported."""
    await _the_one(hass)
    good = {"domain": "demo_cloud", "client_id": "good", "client_secret": SENTINEL}
    config = CONFIG_SCHEMA({"developer_credentials": [*items, good]})
    yaml = await async_check_items(hass, config["developer_credentials"])
    assert all(isinstance(item, YamlItem) for item in yaml.items)
    await async_import_items(hass, yaml)
    assert "good" in {one["client_id"] for one in stored(hass)}
    assert (len(yaml.items) == len(items) + 1) is yaml.whole
    await _is_there(hass)
    assert SENTINEL not in str(issue_ids(hass))


# By field: what is often right, and now and then anything.
REAL: Final[dict[str, st.SearchStrategy[Any]]] = {
    "domain": st.just("demo_cloud"),
    "client_id": st.integers(0, 99).map(str) | TEXT,
    "client_secret": TEXT,
    "name": st.none() | TEXT,
    "auth_domain": st.sampled_from(["x", "y"]),
    "redirect_uri": st.sampled_from(["default", "own", "my"]),
    # The integration has none.
    "variables": st.just({}),
    "verify": st.just(value=False),
    "developer_credentials_id": st.integers(0, 2),
    "config_entry_id": st.just("unknown"),
    "application_credentials_id": st.just("unknown"),
    "application_credentials": st.booleans(),
}


@st.composite
def _messages(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a command with fields of its own, one in a few of which is not of its kind."""
    name = draw(st.sampled_from([*COMMANDS, *["create", "update", "update"] * 3]))
    _, required, optional = COMMANDS[name]
    chosen = [
        *required,
        *draw(st.lists(st.sampled_from(optional), unique=True) if optional else st.just([])),
    ]
    fields: dict[str, Any] = {field: draw(REAL[field]) for field in chosen}
    if chosen and draw(st.integers(0, 4)) == 0:
        fields[draw(st.sampled_from(chosen))] = draw(VALUES)
    if "verify" in optional:
        fields.setdefault("verify", False)
    return name, fields


@given(messages=st.lists(_messages(), min_size=5, max_size=15))
@FUZZ
async def test_websocket(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    messages: list[tuple[str, dict[str, Any]]],
) -> None:
    """Any message is answered; what was acknowledged is there, and nothing else has changed."""
    await _the_one(hass)
    if "fuzz_client" not in hass.data:
        hass.data["fuzz_client"] = await hass_ws_client()
    client = hass.data["fuzz_client"]
    for name, fields in messages:
        expected = {key: dict(one.data) for key, one in entry_of(hass).subentries.items()}
        if isinstance(number := fields.get("developer_credentials_id"), int):
            # The one is not for them.
            others = list(expected)[1:]
            fields["developer_credentials_id"] = others[number] if number < len(others) else "gone"
        message = {**fields, "type": f"developer_credentials/{name}"}
        await client.send_json_auto_id(message)
        reply = await client.receive_json()
        if not reply["success"]:
            assert reply["error"]["code"] in {
                "invalid_format",
                "not_found",
                "already_configured",
            }
        elif name == "delete":
            del expected[fields["developer_credentials_id"]]
        elif name in {"create", "update"}:
            item = reply["result"]
            known = expected.setdefault(item["id"], {})
            credential = DeveloperCredential(
                fields.get("client_id", known.get("client_id", "-")),
                fields.get("client_secret", known.get("client_secret", "")),
                fields.get("name", known.get("name")),
            )
            known |= {
                "client_id": credential.client_id,
                "client_secret": credential.client_secret,
                "name": credential.name,
                "redirect_uri": fields.get("redirect_uri", known.get("redirect_uri", "default")),
            }
            hass.data["fuzz_changes"] = hass.data.get("fuzz_changes", 0) + 1
        found = {key: dict(one.data) for key, one in entry_of(hass).subentries.items()}
        assert found.keys() == expected.keys()
        for key, data in expected.items():
            assert data.items() <= found[key].items()
        await _is_there(hass)


@pytest.fixture(autouse=True)
def something_was_changed(hass: HomeAssistant, request: pytest.FixtureRequest) -> Iterator[None]:
    """That messages come through is a part of what is tested."""
    yield
    if request.node.originalname == "test_websocket":
        assert hass.data["fuzz_changes"] > 20


ANSWERS: Final = (
    st.dictionaries(
        st.sampled_from(
            [
                *("access_token", "refresh_token", "expires_in", "error", "error_description"),
                *("scope", "errors", "message", "code", "fault", "detail", "errcode", "expires_on"),
            ]
        ),
        VALUES,
    ).map(json.dumps)
    | VALUES.map(json.dumps)
    | TEXT
    | st.binary(max_size=200)
)


@given(
    body=ANSWERS, status=st.sampled_from([200, 200, 201, 302, 400, 401, 403, 404, 429, 500, 503])
)
@FUZZ
async def test_token_endpoint(
    hass: HomeAssistant,
    server: RecordingServer,
    install: Install,
    body: str | bytes,
    status: int,
) -> None:
    """Any answer is a token that Home Assistant can use, or one of our errors."""
    if "fuzz_implementation" not in hass.data:
        install("acme", PLATFORM.replace("https://cloud.example", server.url))
        await _the_one(hass, "acme")
        (implementation,) = (await async_get_implementations(hass, "acme")).values()
        hass.data["fuzz_implementation"] = implementation
    implementation = hass.data["fuzz_implementation"]
    assert isinstance(implementation, AuthImplementation)
    server.respond = answer(body, status)
    old = {"access_token": "old", "refresh_token": f"{SENTINEL}-refresh", "expires_in": 60}
    error = None
    try:
        token = await implementation.async_refresh_token(old)
    except TokenRequestError as err:
        error = err
    assert implementation.error is error
    assert SENTINEL not in f"{error!r} {error}"
    if error is None:
        assert isinstance(token["access_token"], str)
        assert token["access_token"]
        assert type(token["expires_in"]) is int
        assert token["expires_in"] >= 0
        assert token["refresh_token"]
    await asyncio.sleep(0)
    await _is_there(hass)


# Ways in which servers repeat what they got; each may be on top of another.
ENCODINGS: Final[list[Callable[[str], str]]] = [
    str,
    str.upper,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    escape,
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    lambda text: json.dumps(text)[1:-1],
    lambda text: text.replace("/", "\\/"),
]
# Where servers put what they say of an error: a body, and headers.
SHAPES: Final[list[Callable[[str], tuple[object, dict[str, str]]]]] = [
    lambda text: ({"error": text}, {}),
    lambda text: ({"error": "odd", "error_description": text}, {}),
    lambda text: ({"error": {"code": text, "message": text}}, {}),
    lambda text: ({"errors": [{"errorType": "odd", "message": text}]}, {}),
    lambda text: ({"errors": [text], "message": text}, {}),
    lambda text: ({"fault": {"faultstring": text, "detail": {"errorcode": text}}}, {}),
    lambda text: ({"errcode": 1, "errmsg": text}, {}),
    lambda text: ([{"error": text}], {}),
    lambda text: ({"error": f"invalid_client: {text}", "title": text}, {}),
    lambda text: (
        {"error": "odd"},
        {"WWW-Authenticate": f'Bearer error="{quote(text)}", error_description="{quote(text)}"'},
    ),
]
# What is sent; found again by its letters, which the words around it have not.
LETTERS: Final = "0123456789abcdef"
SENT: Final = st.tuples(TEXT, st.text(LETTERS, min_size=12, max_size=40), TEXT)
WORDS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=LETTERS))


@given(
    sent=st.dictionaries(
        st.sampled_from(["password", "assertion", "device_code", "refresh_token", "x"]),
        SENT,
        min_size=1,
    ),
    secret=SENT,
    key=SENT,
    basic=st.booleans(),
    encodings=st.lists(st.sampled_from(ENCODINGS), min_size=1, max_size=3),
    words=st.lists(WORDS, min_size=2, max_size=2),
    shape=st.sampled_from(SHAPES),
    status=st.sampled_from([200, 400, 401, 500]),
)
@FUZZ
async def test_echo(
    hass: HomeAssistant,
    server: RecordingServer,
    sent: dict[str, tuple[str, str, str]],
    secret: tuple[str, str, str],
    key: tuple[str, str, str],
    encodings: list[Callable[[str], str]],
    words: list[str],
    shape: Callable[[str], tuple[object, dict[str, str]]],
    status: int,
    *,
    basic: bool,
) -> None:
    """Whatever a server repeats of what it was sent, in whatever encoding, no exception has it."""
    credential = DeveloperCredential("id", "".join(secret))
    values = ["".join(parts) for parts in (*sent.values(), key)]
    echoed = " and ".join([*values, credential.client_secret])
    for encode in encodings:
        echoed = encode(echoed)
    text = f"{words[0]} {echoed} {words[1]}"
    body, headers = shape(text)
    server.respond = answer(body, status, **headers)
    endpoint = TokenEndpoint(
        hass,
        str(URL(server.token_url).with_query({"key": "".join(key)})),
        credential,
        "client_secret_basic" if basic else "client_secret_post",
        "acme",
    )
    with pytest.raises(TokenRequestError) as raised:
        await _token(endpoint, {name: "".join(parts) for name, parts in sent.items()})
    error = raised.value
    told = f"{error!r} {error} {vars(error)}".lower()
    for _, letters, _ in (*sent.values(), secret, key):
        assert letters not in told
    assert error.__context__ is None


async def _token(endpoint: TokenEndpoint, data: dict[str, str]) -> None:
    """Ask for a token; an answer with words that stand for no error has none."""
    endpoint.checked(await endpoint.async_request_token(data))


async def _the_one(hass: HomeAssistant, domain: str = "demo_cloud") -> None:
    """Have a credential that nobody may lose or alter."""
    if not hass.config_entries.async_entries("developer_credentials"):
        await add_credential(hass, domain, "the one", f"{SENTINEL}-of-the-one", "The one")


async def _is_there(hass: HomeAssistant) -> None:
    first = next(iter(entry_of(hass).subentries.values()))
    assert first.data["client_id"] == "the one"
    assert first.data["client_secret"] == f"{SENTINEL}-of-the-one"
