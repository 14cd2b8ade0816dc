"""Declared servers send what Home Assistant's own implementations send.

Integrations of Home Assistant write these implementations for `application_credentials`. Each is
run beside an `AuthImplementation` with the declaration that takes its place, against the same
server, and what arrives there is compared. The developer guide lists them all.
"""

import base64
from collections.abc import Callable, Iterator
import dataclasses
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
from yarl import URL

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
    ServerVariable,
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
        code_params={"name": hass.config.location_name},
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
    differing = {domain for domain, _ in REPEATED} | {"willow"}
    stated = dict(re.findall(r"^\| `(\w+)` \| declaration \| .*? \| (.*) \|$", table, re.MULTILINE))
    assert {domain for domain, difference in stated.items() if difference != "none"} == differing
    numbers = re.search(r"(\d+) of (\d+) become a declaration, (\d+) of them", table)
    assert numbers
    assert [int(number) for number in numbers.groups()] == [
        len(DECLARATIONS),
        len(rows),
        len(DECLARATIONS) - len(differing),
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RealServer:
    """A server that insists on what it wants, as one of many that are in use.

    Attributes:
        fields: How it is declared; `{url}` is the server of the test.
        values: What the user enters for its variables.
        query: What the authorize URL must have.
        code: What a request for a code must have, in its body and path.
        refresh: What a refresh must have.
        absent: What a refresh must not have.
        secret: The client secret.
    """

    fields: ServerFields
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    query: dict[str, str] = dataclasses.field(default_factory=dict)
    code: dict[str, str] = dataclasses.field(default_factory=dict)
    refresh: dict[str, str] = dataclasses.field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    secret: str = SENTINEL


TENANT: Final = ServerVariable("tenant", "Tenant")
HOST: Final = ServerVariable("host", "Host")

# Kinds of servers in public catalogues, each named after one that is of it.
REAL_SERVERS: Final = {
    "a tenant in the path (Entra ID)": RealServer(
        fields=ServerFields(
            authorize_url="{url}/{tenant}/authorize",
            token_url="{url}/{tenant}/token",
            variables=[TENANT],
            refresh_params={"scope": "offline_access"},
        ),
        values={"tenant": "contoso.example"},
        code={"path": "/contoso.example/token"},
        refresh={"path": "/contoso.example/token", "scope": "offline_access"},
    ),
    "a host of one's own (Nextcloud)": RealServer(
        fields=ServerFields(
            authorize_url="http://{host}:{port}/authorize",
            token_url="http://{host}:{port}/index.php/token",
            variables=[HOST],
        ),
        values={"host": "127.0.0.1"},
        code={"path": "/index.php/token"},
    ),
    "a region with a default (Zoho)": RealServer(
        fields=ServerFields(
            token_url="{url}/{region}/token",
            variables=[ServerVariable("region", "Region", pattern="eu|us|in", default="eu")],
        ),
        code={"path": "/eu/token"},
    ),
    "an audience that the user knows (Auth0)": RealServer(
        fields=ServerFields(
            authorize_params={"audience": "api-{tenant}"},
            token_params={"audience": "api-{tenant}"},
            variables=[TENANT],
        ),
        values={"tenant": "home"},
        query={"audience": "api-home"},
        code={"audience": "api-home"},
        refresh={"audience": "api-home"},
    ),
    "scopes with commas (Strava)": RealServer(
        fields=ServerFields(scopes=["read", "activity:read_all"], scope_separator=","),
        query={"scope": "read,activity:read_all"},
    ),
    "scopes with a plus (older servers)": RealServer(
        fields=ServerFields(scopes=["a", "b"], scope_separator="+"), query={"scope": "a+b"}
    ),
    "JSON bodies (Atlassian)": RealServer(
        fields=ServerFields(token_request_format="json"),
        code={"format": "json", "client_secret": SENTINEL},
        refresh={"format": "json", "client_secret": SENTINEL},
    ),
    "JSON bodies and basic (Notion)": RealServer(
        fields=ServerFields(
            token_request_format="json", token_endpoint_auth_method="client_secret_basic"
        ),
        code={"format": "json", "basic": f"id:{SENTINEL}"},
        absent=frozenset({"client_id", "client_secret"}),
    ),
    "refreshes elsewhere (TikTok)": RealServer(
        fields=ServerFields(refresh_url="{url}/refresh_token"),
        code={"path": "/token"},
        refresh={"path": "/refresh_token"},
    ),
    "parameters of the code only (Tesla)": RealServer(
        fields=ServerFields(code_params={"audience": "fleet"}),
        code={"audience": "fleet"},
        absent=frozenset({"audience"}),
    ),
    "parameters of refreshes only (Salesforce)": RealServer(
        fields=ServerFields(refresh_params={"format": "json"}), refresh={"format": "json"}
    ),
    "basic that is not decoded": RealServer(
        fields=ServerFields(token_endpoint_auth_method="client_secret_basic_unencoded"),
        secret=f"{SENTINEL}/b+c==",
        code={"basic": f"id:{SENTINEL}/b+c=="},
        refresh={"basic": f"id:{SENTINEL}/b+c=="},
    ),
    "tokens of a hundred years (Trakt)": RealServer(
        fields=ServerFields(default_expires_in=3_153_600_000)
    ),
    "no login page (device grant only)": RealServer(fields=ServerFields(authorize_url=None)),
}


@pytest.mark.parametrize("real", REAL_SERVERS.values(), ids=list(REAL_SERVERS))
@pytest.mark.usefixtures("current_request_with_host")
async def test_real_servers(hass: HomeAssistant, server: RecordingServer, real: RealServer) -> None:
    """A server that insists on what it wants is declared, and given it."""
    seen: list[dict[str, str]] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        is_json = request.content_type == "application/json"
        body = dict(await request.json() if is_json else await request.post())
        _, _, pair = request.headers.get("Authorization", "").partition(" ")
        seen.append(
            {
                "format": "json" if is_json else "form",
                **{name: str(value) for name, value in body.items()},
                "path": request.path,
                "basic": base64.b64decode(pair).decode(),
            }
        )
        grant = real.code if body["grant_type"] == "authorization_code" else real.refresh
        if not grant.items() <= seen[-1].items():
            return web.json_response({"error": "invalid_request"}, status=400)
        fields = {"access_token": f"{SENTINEL}-token", "refresh_token": f"{SENTINEL}-new"}
        expires_in = {} if "default_expires_in" in real.fields else {"expires_in": 60}
        return web.json_response(fields | expires_in)

    server.respond = respond
    url = URL(server.url)
    fields = ServerFields(authorize_url="{url}/authorize", token_url="{url}/token")
    fields.update(real.fields)
    for name, value in fields.items():
        if isinstance(value, str) and name.endswith("_url"):
            filled = value.replace("{url}", server.url).replace("{port}", str(url.port))
            fields[name] = filled  # type: ignore[literal-required]
    declared = AuthorizationServer(**fields).with_values(real.values)
    credential = DeveloperCredential("id", real.secret)
    implementation = AuthImplementation(hass, "acme", credential, declared)
    if declared.authorize_url:
        login = await implementation.async_generate_authorize_url("flow")
        assert real.query.items() <= _query(login).items()
    state = {"flow_id": "flow", "redirect_uri": REDIRECT_URI}
    token = await implementation.async_resolve_external_data({"code": "code", "state": state})
    assert token["expires_in"] in {60, 2**31 - 1}
    refreshed = await implementation.async_refresh_token(token)
    assert refreshed["access_token"] == f"{SENTINEL}-token"
    assert len(seen) == 2
    assert not real.absent & seen[1].keys()
