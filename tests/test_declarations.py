"""Declared servers send what Home Assistant's own implementations send.

Integrations of Home Assistant write these implementations for `application_credentials`. Each is
run beside an `AuthImplementation` with the declaration that takes its place, against the same
server, and what arrives there is compared. The developer guide lists them all.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
import re
import sys
from types import ModuleType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from aiohttp import BasicAuth, web
import homeassistant
from homeassistant.components.application_credentials import ClientCredential
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    LocalOAuth2Implementation,
    LocalOAuth2ImplementationWithPkce,
)
import pytest

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)
from custom_components.developer_credentials.oauth2.pkce import code_challenge_of
from custom_components.developer_credentials.oauth2.server import ServerFields
from tests.common import REDIRECT_URI, SENTINEL
from tests.recording_server import TOKEN, Recorded, RecordingServer, answer

COMPONENTS: Final = Path(homeassistant.__path__[0], "components")
VERSIONS: Final = Path(__file__).parent.parent / "script" / "homeassistant_versions"
NEWEST: Final = VERSIONS.read_text().splitlines()[-1].split()[0]
GUIDE: Final = (Path(__file__).parent.parent / "docs" / "developer.md").read_text()

# What each server is declared to want; `module` is the one of the implementation.
DECLARATIONS: Final[dict[str, Callable[[HomeAssistant, ModuleType], ServerFields]]] = {
    "bosch_smart_camera": lambda _, module: ServerFields(
        pkce=True, scopes=module.OAUTH2_SCOPES.split()
    ),
    "dropbox": lambda *_: ServerFields(pkce=True),
    "electric_kiwi": lambda _, module: ServerFields(
        scopes=module.SCOPE_VALUES.split(), token_endpoint_auth_method="client_secret_basic"
    ),
    "fitbit": lambda *_: ServerFields(token_endpoint_auth_method="client_secret_basic"),
    "google": lambda *_: ServerFields(),
    "lyric": lambda *_: ServerFields(
        authorize_params={"appSelect": "1"}, token_endpoint_auth_method="client_secret_basic"
    ),
    "overkiz": lambda _, module: ServerFields(
        authorize_params={"p": module.REXEL_OAUTH_POLICY},
        pkce=True,
        scopes=[module.REXEL_OAUTH_SCOPE, "offline_access"],
        token_endpoint_auth_method="none",
    ),
    "smartthings": lambda *_: ServerFields(token_endpoint_auth_method="client_secret_basic"),
    "tesla_fleet": lambda _, module: ServerFields(
        authorize_params={"prompt": "login", "prompt_missing_scopes": "true"},
        scopes=module.SCOPES,
    ),
    "teslemetry": lambda hass, _: ServerFields(
        authorize_params={"name": hass.config.location_name},
        pkce=True,
        token_endpoint_auth_method="none",
        token_params={"name": hass.config.location_name},
    ),
    "vicare": lambda _, module: ServerFields(
        pkce=True, scopes=module.VICARE_SCOPES, token_endpoint_auth_method="none"
    ),
    "volvo": lambda _, module: ServerFields(pkce=True, scopes=module.ALL_SCOPES),
    "weheat": lambda *_: ServerFields(pkce=True),
    "willow": lambda *_: ServerFields(default_expires_in=10 * 365 * 24 * 60 * 60),
    "yoto": lambda *_: ServerFields(pkce=True),
}

# What theirs say twice, in the body beside the Authorization header, by domain and grant.
REPEATED: Final = {
    ("fitbit", "refresh_token"): {"client_id", "client_secret"},
    ("lyric", "authorization_code"): {"client_id", "client_secret"},
    ("lyric", "refresh_token"): {"client_id", "client_secret"},
    ("smartthings", "refresh_token"): {"client_id"},
}

# What only ours say: a token parameter goes with a refresh as well.
ADDED: Final = {("teslemetry", "refresh_token"): {"name"}}


def _own_implementations() -> set[str]:
    """Return the domains of the integrations that write an implementation of their own."""
    return {
        platform.parent.name
        for platform in COMPONENTS.glob("*/application_credentials.py")
        if "async_get_auth_implementation" in platform.read_text()
    }


INSTALLED: Final = _own_implementations()


@pytest.fixture
def platform(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """Import the platform of an integration, but nothing of the integration that it does not need.

    The package itself would want all of the integration's libraries.
    """
    name = f"homeassistant.components.{request.param}"
    package = ModuleType(name)
    package.__path__ = [str(COMPONENTS / request.param)]
    sys.modules[name] = package
    yield import_module(f"{name}.application_credentials")
    for module in list(sys.modules):
        if module == name or module.startswith(f"{name}."):
            del sys.modules[module]


def _query(url: str) -> dict[str, str]:
    """Return the query of a URL, in which nothing stands twice."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


async def _conversation(
    server: RecordingServer, implementation: LocalOAuth2Implementation
) -> tuple[dict[str, str], list[Recorded]]:
    """Return the query of the authorize URL, and the requests for a code and for a refresh."""
    url = await implementation.async_generate_authorize_url("flow")
    query = _query(url)
    assert url.partition("?")[0] == implementation.authorize_url.partition("?")[0]
    state = {"flow_id": "flow", "redirect_uri": REDIRECT_URI}
    server.requests.clear()
    token = await implementation.async_resolve_external_data({"code": "code", "state": state})
    assert token["access_token"] == TOKEN["access_token"]
    await implementation.async_refresh_token(token)
    requests = list(server.requests)
    # Each has a verifier of its own: that it fits is what they have in common.
    if "code_challenge" in query:
        challenge = code_challenge_of(requests[0].body.pop("code_verifier"))
        assert challenge == {name: query.pop(name) for name in challenge}
        query["pkce"] = requests[0].body["pkce"] = "S256"
    return query, requests


def _headers(request: Recorded) -> dict[str, str]:
    """Return the headers, without the length of a body that is compared itself."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    del headers["content-length"]
    return headers


async def _assert_same(
    server: RecordingServer,
    theirs: LocalOAuth2Implementation,
    ours: AuthImplementation,
    domain: str = "",
) -> None:
    """Compare the authorize URL's query, and the bodies and headers of both token requests."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return await answer(TOKEN | {"refresh_token": f"{SENTINEL}-refresh"})(request)

    server.respond = respond
    their_query, their_requests = await _conversation(server, theirs)
    our_query, our_requests = await _conversation(server, ours)
    assert our_query == their_query
    for their, our in zip(their_requests, our_requests, strict=True):
        assert _headers(our) == _headers(their)
        assert our.path == their.path == "/token"
        case = (domain, their.body["grant_type"])
        repeated = {name: their.body.pop(name) for name in REPEATED.get(case, ())}
        if repeated:
            basic = BasicAuth.decode(their.headers["Authorization"])
            said = {"client_id": basic.login, "client_secret": basic.password}
            assert repeated.items() <= said.items()
        for name in ADDED.get(case, ()):
            assert our.body.pop(name) == ours.authorization_server.token_params[name]
        assert our.body == their.body


@pytest.mark.parametrize(
    ("platform", "domain"),
    [(domain, domain) for domain in sorted(INSTALLED & DECLARATIONS.keys())],
    indirect=["platform"],
    ids=lambda domain: domain,
)
@pytest.mark.usefixtures("current_request_with_host")
async def test_declaration(
    hass: HomeAssistant,
    server: RecordingServer,
    platform: ModuleType,
    domain: str,
) -> None:
    """A declaration sends, field by field, what the integration's own class sends."""
    theirs = await platform.async_get_auth_implementation(
        hass, domain, ClientCredential("client-id", SENTINEL)
    )
    fields = DECLARATIONS[domain](hass, sys.modules[type(theirs).__module__])
    theirs.token_url = server.token_url
    fields |= {"authorize_url": theirs.authorize_url, "token_url": server.token_url}
    credential = DeveloperCredential("client-id", SENTINEL)
    ours = AuthImplementation(hass, domain, credential, AuthorizationServer(**fields))
    await _assert_same(server, theirs, ours, domain)


@pytest.mark.parametrize("secret", [SENTINEL, ""], ids=["secret", "public"])
@pytest.mark.usefixtures("current_request_with_host")
async def test_two_fields(hass: HomeAssistant, server: RecordingServer, secret: str) -> None:
    """With only the required fields, Home Assistant's own class sends the same.

    For a client without a secret, that is the one with PKCE.
    """
    urls = "https://cloud.example/authorize", server.token_url
    declared = AuthorizationServer(*urls)
    ours = AuthImplementation(hass, "acme", DeveloperCredential("id &=+ü", secret), declared)
    theirs = (
        LocalOAuth2Implementation(hass, "acme", "id &=+ü", secret, *urls)
        if secret
        else LocalOAuth2ImplementationWithPkce(hass, "acme", "id &=+ü", *urls)
    )
    await _assert_same(server, theirs, ours)


async def test_lifetime_of_willow(hass: HomeAssistant, server: RecordingServer) -> None:
    """A server that tells no lifetime, as Willow's, has the declared one."""
    server.respond = answer({"access_token": "token"})
    fields = DECLARATIONS["willow"](hass, ModuleType("willow"))
    fields |= {"authorize_url": "https://cloud.example", "token_url": server.token_url}
    credential = DeveloperCredential("id", SENTINEL)
    ours = AuthImplementation(hass, "willow", credential, AuthorizationServer(**fields))
    state = {"redirect_uri": REDIRECT_URI}
    token = await ours.async_resolve_external_data({"code": "code", "state": state})
    assert token["expires_in"] == fields["default_expires_in"]


def test_guide_lists_all() -> None:
    """The guide has a row for each implementation, and says rightly which become a declaration."""
    table = GUIDE.split("## What becomes a declaration")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+)", table, re.MULTILINE))
    assert rows.keys() >= INSTALLED
    if __version__ == NEWEST:
        # Older ones do not have all of them yet.
        assert rows.keys() == INSTALLED
    assert {domain for domain, kind in rows.items() if kind == "declaration"} == set(DECLARATIONS)
    differing = {domain for domain, _ in REPEATED.keys() | ADDED.keys()} | {"willow"}
    stated = dict(re.findall(r"^\| `(\w+)` \| declaration \| .*? \| (.*) \|$", table, re.MULTILINE))
    assert {domain for domain, difference in stated.items() if difference != "none"} == differing
    numbers = re.search(r"(\d+) of (\d+) become a declaration, (\d+) of them", table)
    assert numbers
    assert [int(number) for number in numbers.groups()] == [
        len(DECLARATIONS),
        len(rows),
        len(DECLARATIONS) - len(differing),
    ]
