"""Tests of the WebSocket API."""

import asyncio
from collections.abc import Callable, Coroutine
import random
from typing import Any
from unittest.mock import patch

from homeassistant.components.application_credentials import (
    DATA_COMPONENT,
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.flows.credential_subject import (
    OwnCredential,
    PeerCredential,
)
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
from custom_components.developer_credentials.oauth2.verification import Outcome, Verification
from custom_components.developer_credentials.websocket_api import COMMANDS
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    CONFIG_FLOW,
    OFFLINE_PLATFORM,
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    entry_of,
    issue_ids,
    stored,
)
from tests.conftest import Install

type Command = Callable[..., Coroutine[Any, Any, Any]]

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

REDIRECT_URIS = "custom_components.developer_credentials.oauth2.redirect_uri"

UNKNOWN: dict[str, dict[str, object]] = {
    "create": {"domain": "acme", "client_id": "id"},
    "update": {"developer_credentials_id": "unknown"},
    "delete": {"developer_credentials_id": "unknown"},
    "verify": {"developer_credentials_id": "unknown"},
    "config_entry": {"config_entry_id": "unknown"},
    "relink": {"domain": "acme", "auth_domain": "gone", "developer_credentials_id": "unknown"},
    "restore": {"domain": "acme", "auth_domain": "gone"},
    "update_application_credential": {"application_credentials_id": "unknown"},
}


@pytest.fixture(autouse=True)
def acme(install: Install) -> None:
    """Install an integration whose server is not there."""
    install("acme", OFFLINE_PLATFORM, config_flow=CONFIG_FLOW)


@pytest.fixture
async def client(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> MockHAClientWebSocket:
    """Connect an admin."""
    return await hass_ws_client()


@pytest.fixture
def command(hass: HomeAssistant, client: MockHAClientWebSocket) -> Command:
    """Return a function that sends a command; its answer is the result, or the error's code."""

    async def command(name: str, /, **fields: object) -> object:
        await client.send_json_auto_id({"type": f"developer_credentials/{name}", **fields})
        answer = await client.receive_json()
        await hass.async_block_till_done()
        assert SENTINEL not in str(answer)
        if answer["success"]:
            return answer["result"]
        assert answer["error"]["message"]
        assert answer["error"]["translation_key"] not in answer["error"]["message"].split()
        return answer["error"]["code"]

    return command


@pytest.mark.parametrize("name", [*COMMANDS, "subscribe"])
async def test_admins_only(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    name: str,
) -> None:
    """Whoever is no admin is refused, whatever the command."""
    subentry = await add_credential(hass, "acme")
    client = await hass_ws_client(hass, hass_read_only_access_token)
    fields = {
        field: subentry.subentry_id if field == "developer_credentials_id" else "acme"
        for field in COMMANDS.get(name, (None, (), ()))[1]
    }
    await client.send_json_auto_id({"type": f"developer_credentials/{name}", **fields})
    answer = await client.receive_json()
    assert answer["error"]["code"] == "unauthorized"
    assert len(stored(hass)) == 1


async def test_create_and_list(hass: HomeAssistant, command: Command) -> None:
    """What is created is told without its secret, and is there for the integration."""
    assert await command("list") == []
    item = await command(
        "create",
        domain="acme",
        client_id=" id\u200b",
        client_secret=f" {SENTINEL}",
        name="My app",
        redirect_uri="own",
    )
    (subentry_id,) = entry_of(hass).subentries
    assert item == {
        "id": subentry_id,
        "domain": "acme",
        "client_id": "id",
        "has_secret": True,
        "name": "My app",
        "auth_domain": "acme_id",
        "redirect_uri": "own",
        "token_endpoint_auth_method": None,
        "variables": {},
        "entries": [],
    }
    assert await command("list") == [item]
    assert stored(hass)[0]["client_secret"] == SENTINEL
    public = await command("create", domain="acme", client_id="public", auth_domain="legacy")
    assert (public["has_secret"], public["name"], public["auth_domain"]) == (False, None, "legacy")


async def test_update(hass: HomeAssistant, command: Command) -> None:
    """What a command names is changed, the rest stays; the key stays whatever is changed."""
    subentry = await add_credential(hass, "acme", name="My app", redirect_uri=RedirectUri.OWN)
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "acme_client_id"})
    entry.add_to_hass(hass)
    before = dict(subentry.data)
    changes: list[dict[str, str | None]] = [
        {"client_secret": f"{SENTINEL}-2"},
        {"name": None},
        {"name": "Renamed"},
        {"redirect_uri": "default"},
        {"client_id": "new"},
        {"client_secret": ""},
        {},
    ]
    for change in changes:
        item = await command("update", developer_credentials_id=subentry.subentry_id, **change)
        before |= change
        assert stored(hass) == [before]
        assert item["entries"] == [entry.entry_id]
        assert item["has_secret"] is bool(before["client_secret"])
    assert item["auth_domain"] == "acme_client_id"


async def test_delete(hass: HomeAssistant, command: Command, client: MockHAClientWebSocket) -> None:
    """What is in use is not deleted, and the answer names by what; else it is gone."""
    subentry = await add_credential(hass, "acme")
    entry = MockConfigEntry(
        domain="acme", title="Account", data={"auth_implementation": "acme_client_id"}
    )
    entry.add_to_hass(hass)
    message = {
        "type": "developer_credentials/delete",
        "developer_credentials_id": subentry.subentry_id,
    }
    await client.send_json_auto_id(message)
    error = (await client.receive_json())["error"]
    assert error["code"] == "in_use"
    assert f"Account ({entry.entry_id})" in error["message"]
    await hass.config_entries.async_remove(entry.entry_id)
    assert await command("delete", developer_credentials_id=subentry.subentry_id) is None
    assert stored(hass) == []
    assert await command("delete", developer_credentials_id=subentry.subentry_id) == "not_found"


async def test_rejected(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, command: Command
) -> None:
    """A credential is verified before it is saved, unless the tool says otherwise."""
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    new = {"domain": "demo_cloud", "client_id": "id", "client_secret": f"{SENTINEL}-wrong"}
    assert await command("create", **new) == "rejected"
    assert hass.config_entries.async_entries("developer_credentials") == []
    item = await command("create", **new, verify=False)
    this = {"developer_credentials_id": item["id"]}
    assert (await command("verify", **this))["outcome"] == "rejected"
    assert (await command("verify", **this))["detail"].startswith("invalid_client")
    assert await command("update", **this, name="Renamed") == "rejected"
    assert (await command("update", **this, client_secret=SENTINEL))["has_secret"]
    assert (await command("verify", **this))["outcome"] == "accepted"
    demo_cloud.clients["id"].redirect_uris = ()
    assert await command("update", **this, name="Renamed") == "rejected"
    assert stored(hass)[0]["name"] is None


async def test_already_configured(hass: HomeAssistant, command: Command) -> None:
    """An integration has a client id, and an auth domain, once."""
    await add_credential(hass, "acme", "a")
    item = await command("create", domain="acme", client_id="b")
    assert await command("create", domain="acme", client_id="a") == "already_configured"
    taken = {"domain": "acme", "client_id": "c", "auth_domain": "acme_a"}
    assert await command("create", **taken) == "already_configured"
    update = {"developer_credentials_id": item["id"], "client_id": "a"}
    assert await command("update", **update) == "already_configured"
    assert [one["client_id"] for one in stored(hass)] == ["a", "b"]


@pytest.mark.parametrize(
    ("meanwhile", "code"), [("deleted", "not_found"), ("taken", "already_configured")]
)
async def test_changes_while_the_server_is_asked(
    hass: HomeAssistant, command: Command, meanwhile: str, code: str
) -> None:
    """What became of the credential while the server was asked is seen before it is saved."""
    subentry = await add_credential(hass, "acme", "a")

    async def async_verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        if meanwhile == "deleted":
            hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
        else:
            await add_credential(hass, "acme", "b")
        return Verification(Outcome.ACCEPTED, "", credential)

    with patch.object(OwnCredential, "async_verify", async_verify):
        update = {"developer_credentials_id": subentry.subentry_id, "client_id": "b"}
        assert await command("update", **update) == code
    assert [one["client_id"] for one in stored(hass)] == (
        ["a", "b"] if meanwhile == "taken" else []
    )


INVALID: dict[str, tuple[str, dict[str, object]]] = {
    "missing": ("create", {"domain": "acme"}),
    "unknown": ("create", {**UNKNOWN["create"], f"client_secret:{SENTINEL}": ""}),
    "unknown where none is": ("list", {"client_secret": SENTINEL}),
    "number": ("create", {**UNKNOWN["create"], "client_secret": 12}),
    "null": ("create", {**UNKNOWN["create"], "client_secret": None}),
    "list": ("create", {"domain": ["acme"], "client_id": "id"}),
    "empty client id": ("create", {"domain": "acme", "client_id": " "}),
    "auth domain": ("create", {**UNKNOWN["create"], "auth_domain": " A"}),
    "redirect URI": ("create", {**UNKNOWN["create"], "redirect_uri": "https://evil.example"}),
    "verify": ("create", {**UNKNOWN["create"], "verify": "no"}),
    "file as client id": ("create", {**UNKNOWN["create"], "client_id": f'{{"a": "{SENTINEL}"}}'}),
    "file as secret": (
        "create",
        {**UNKNOWN["create"], "client_secret": f"client_secret={SENTINEL}"},
    ),
    "file as name": ("create", {**UNKNOWN["create"], "name": f"client_secret: {SENTINEL}"}),
    "unknown variable": ("create", {**UNKNOWN["create"], "variables": {"tenant": "home"}}),
    "no platform": ("create", {"domain": "sun", "client_id": "id"}),
    "nothing to update": ("update", {"client_id": "id"}),
}


@pytest.mark.parametrize(("name", "fields"), INVALID.values(), ids=list(INVALID))
async def test_invalid_format(
    hass: HomeAssistant, command: Command, name: str, fields: dict[str, object]
) -> None:
    """A field that is missing, unknown or not of its kind is told, without any value."""
    assert await command(name, **fields) == "invalid_format"
    assert hass.config_entries.async_entries("developer_credentials") == []


@pytest.mark.parametrize("name", [name for name in UNKNOWN if name != "create"])
@pytest.mark.parametrize("existing", [True, False])
async def test_not_found(hass: HomeAssistant, command: Command, name: str, existing: bool) -> None:
    """What is not there is not found, whether or not anything is."""
    if existing:
        await add_credential(hass, "acme")
    assert await command(name, **UNKNOWN[name]) == "not_found"


async def test_integration_is_gone(hass: HomeAssistant, command: Command) -> None:
    """A credential of an integration that is not installed any more can only be deleted."""
    subentry = await add_credential(hass, "acme")
    data = {**subentry.data, "domain": "uninstalled"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    this = {"developer_credentials_id": subentry.subentry_id}
    assert await command("update", **this) == "not_found"
    assert await command("verify", **this) == "not_found"
    assert await command("delete", **this) is None


async def test_integration_without_its_platform(
    hass: HomeAssistant, install: Install, command: Command
) -> None:
    """Of an integration that has lost its platform nothing is known; its credential can go."""
    install("plain")
    subentry = await add_credential(hass, "plain")
    this = {"developer_credentials_id": subentry.subentry_id}
    assert await command("verify", **this) == {"outcome": "inconclusive", "detail": ""}
    assert await command("delete", **this) is None


async def test_config(hass: HomeAssistant, install: Install, command: Command) -> None:
    """The integrations that take credentials are told, with what their instructions need."""
    install("broken", "raise RuntimeError")
    config = await command("config")
    assert sorted(config["domains"]) == ["acme", "broken", "demo_cloud"]
    placeholders = {
        domain: integration["description_placeholders"]
        for domain, integration in config["integrations"].items()
    }
    assert placeholders["demo_cloud"]["console_url"].endswith("/console")
    assert placeholders["acme"] == placeholders["broken"] == {}
    assert config["redirect_uris"] == {"default": REDIRECT_URI, "own": REDIRECT_URI}
    hass.config.api = None
    with patch(f"{REDIRECT_URIS}.http.current_request") as request:
        request.get.return_value = None
        assert (await command("config"))["redirect_uris"] == {}
    assert issue_ids(hass) == ["platform_broken"]


async def test_config_entry(hass: HomeAssistant, command: Command) -> None:
    """It is told which credential an entry uses, or none."""
    await add_credential(hass, "acme", "other")
    subentry = await add_credential(hass, "acme")
    for auth_domain, expected in (
        ("acme_client_id", {"developer_credentials_id": subentry.subentry_id}),
        ("gone", {}),
        (None, {}),
    ):
        entry = MockConfigEntry(domain="acme", data={"auth_implementation": auth_domain})
        entry.add_to_hass(hass)
        assert await command("config_entry", config_entry_id=entry.entry_id) == expected


async def test_subscribe(hass: HomeAssistant, client: MockHAClientWebSocket) -> None:
    """A tool is told of all credentials, and of what becomes of them, whoever does it."""
    await client.send_json_auto_id({"type": "developer_credentials/subscribe"})
    assert (await client.receive_json())["success"]

    async def changes() -> list[tuple[str, str, str, int]]:
        async with asyncio.timeout(5):
            event = (await client.receive_json())["event"]
        assert SENTINEL not in str(event)
        return [
            (
                one["change_type"],
                one["developer_credentials_id"],
                one["item"]["client_id"],
                len(one["item"]["entries"]),
            )
            for one in event
        ]

    assert await changes() == []
    first = await add_credential(hass, "acme", "a")
    assert await changes() == [("added", first.subentry_id, "a", 0)]
    second = await add_credential(hass, "acme", "b")
    assert await changes() == [("added", second.subentry_id, "b", 0)]
    data = {**first.data, "client_id": "c"}
    hass.config_entries.async_update_subentry(entry_of(hass), first, data=data)
    assert await changes() == [("updated", first.subentry_id, "c", 0)]
    # A new secret is a change too, though it is not told.
    data = {**data, "client_secret": f"{SENTINEL}-new"}
    hass.config_entries.async_update_subentry(entry_of(hass), first, data=data)
    assert await changes() == [("updated", first.subentry_id, "c", 0)]
    # Who uses it is a part of it, too.
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "acme_a"})
    await hass.config_entries.async_add(entry)
    assert await changes() == [("updated", first.subentry_id, "c", 1)]
    hass.config_entries.async_update_entry(entry, data={"auth_implementation": "other"})
    assert await changes() == [("updated", first.subentry_id, "c", 0)]
    hass.config_entries.async_remove_subentry(entry_of(hass), second.subentry_id)
    assert await changes() == [("removed", second.subentry_id, "b", 0)]
    await hass.config_entries.async_remove(entry_of(hass).entry_id)
    assert await changes() == [("removed", first.subentry_id, "c", 0)]

    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": 1})
    assert (await client.receive_json())["success"]
    await add_credential(hass, "acme", "d")
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


@pytest.mark.parametrize("name", [*COMMANDS, "subscribe"])
async def test_unknown_field(hass: HomeAssistant, command: Command, name: str) -> None:
    """A field that a command does not have is told, without its name or value."""
    required = dict.fromkeys(COMMANDS.get(name, (None, (), ()))[1], "acme")
    assert await command(name, **required, **{f"secret:{SENTINEL}": SENTINEL}) == "invalid_format"


async def test_updates_at_the_same_time(hass: HomeAssistant, client: MockHAClientWebSocket) -> None:
    """Each update changes what it names, and keeps what others change meanwhile."""
    subentry = await add_credential(hass, "acme")

    async def async_verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        await asyncio.sleep(random.random() / 50)  # noqa: S311 - not for secrets
        return Verification(Outcome.ACCEPTED, "", credential)

    changes: list[dict[str, str]] = [
        {"name": "Renamed"},
        {"client_id": "new"},
        {"client_secret": f"{SENTINEL}-new"},
        {"redirect_uri": "own"},
    ]
    with patch.object(OwnCredential, "async_verify", async_verify):
        for change in changes:
            message = {"developer_credentials_id": subentry.subentry_id, **change}
            await client.send_json_auto_id({"type": "developer_credentials/update", **message})
        answers = [await client.receive_json() for _ in changes]
    assert all(answer["success"] for answer in answers)
    (credential,) = stored(hass)
    for change in changes:
        assert credential.items() >= change.items()


async def test_disabled(hass: HomeAssistant, command: Command) -> None:
    """While Developer Credentials is disabled, nothing is created that could not be used.

    Nor is the server asked, which may count failed attempts.
    """
    await add_credential(hass, "acme")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    with patch.object(OwnCredential, "async_verify") as verify:
        assert await command("create", **UNKNOWN["create"]) == "entry_disabled"
    assert not verify.called
    assert len(stored(hass)) == 1


async def test_restore_while_disabled(hass: HomeAssistant, command: Command) -> None:
    """What was deleted is not restored to where it could not be used."""
    subentry = await add_credential(hass, "acme")
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "acme_client_id"})
    await hass.config_entries.async_add(entry)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    key = {"domain": "acme", "auth_domain": "acme_client_id"}
    assert await command("restore", **key) == "entry_disabled"
    assert stored(hass) == []
    await hass.config_entries.async_set_disabled_by(entry_id, None)
    assert (await command("restore", **key))["id"] == subentry.subentry_id


async def test_disabled_while_the_server_is_asked(hass: HomeAssistant, command: Command) -> None:
    """What could not be used by the time that it is saved is not saved."""
    await add_credential(hass, "acme")
    entry_id = entry_of(hass).entry_id

    async def async_verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
        return Verification(Outcome.ACCEPTED, "", credential)

    with patch.object(OwnCredential, "async_verify", async_verify):
        assert await command("create", **UNKNOWN["create"]) == "entry_disabled"
    assert len(stored(hass)) == 1


# By the reason: what a platform may have wrong.
BROKEN: dict[str, str] = {
    "import_failed": "import nothing_of_this_name",
    "missing_function": "",
    "function_raised": "async def async_get_authorization_server(hass): raise TypeError",
    "wrong_type": "async def async_get_authorization_server(hass): return 'https://a.example'",
    "invalid_server": PLATFORM.replace("https://cloud.example/token", "http://cloud.example/token"),
    "wrong_auth_domain": """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(hass, "broken", credential.client_id, "", "", "")
""",
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(("reason", "platform"), BROKEN.items(), ids=list(BROKEN))
async def test_broken_platform(
    hass: HomeAssistant,
    install: Install,
    client: MockHAClientWebSocket,
    reason: str,
    platform: str,
    verify: bool,
) -> None:
    """For an integration whose platform is broken nothing is saved: what is wrong is told."""
    install("broken", platform)
    subentry = await add_credential(hass, "broken")
    before = stored(hass)
    secret = {"client_secret": f"{SENTINEL}-new", "verify": verify}
    commands: dict[str, dict[str, object]] = {
        "create": {"domain": "broken", "client_id": "id", **secret},
        "update": {"developer_credentials_id": subentry.subentry_id, **secret},
    }
    for name, fields in commands.items():
        await client.send_json_auto_id({"type": f"developer_credentials/{name}", **fields})
        error = (await client.receive_json())["error"]
        assert SENTINEL not in str(error)
        assert (error["code"], error["translation_key"]) == (
            "platform_broken",
            f"platform_{reason}",
        )
        assert "`broken`" in error["message"]
        assert "{" not in error["message"]
        assert issue_ids(hass) == ["platform_broken"]
    assert stored(hass) == before


async def test_server_that_is_away(hass: HomeAssistant, install: Install, command: Command) -> None:
    """A platform whose server cannot be told now is not broken."""
    install(
        "away",
        "from homeassistant.helpers.config_entry_oauth2_flow import (\n"
        "    ImplementationUnavailableError\n"
        ")\n"
        "async def async_get_authorization_server(hass): raise ImplementationUnavailableError",
    )
    item = await command("create", domain="away", client_id="id")
    assert item["client_id"] == "id"
    assert issue_ids(hass) == []


PLACEHOLDERS: dict[str, str] = {
    "unavailable": "raise ImplementationUnavailableError",
    "object": "return {'a': object(), 1: 'b'}",
    "surrogate": r"return {'a': '\\ud800'}",
    "huge": "return {'a': 'b' * 10_000_000}",
    "never": "await asyncio.Event().wait()",
}


@pytest.mark.parametrize("body", PLACEHOLDERS.values(), ids=list(PLACEHOLDERS))
async def test_config_of_a_peculiar_platform(
    hass: HomeAssistant,
    install: Install,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
) -> None:
    """Whatever a platform's placeholders are, the others are told."""
    monkeypatch.setattr("custom_components.developer_credentials.platform.TIMEOUT", 0.1)
    install(
        "peculiar",
        "import asyncio\n"
        "from homeassistant.helpers.config_entry_oauth2_flow import (\n"
        "    ImplementationUnavailableError\n"
        ")\n"
        f"{OFFLINE_PLATFORM}\n"
        f"async def async_get_description_placeholders(hass):\n    {body}\n",
    )
    config = await command("config")
    assert sorted(config["domains"]) == ["acme", "demo_cloud", "peculiar"]
    placeholders = config["integrations"]["peculiar"]["description_placeholders"]
    assert set(placeholders) <= {"a"}
    assert len(str(placeholders)) < 20_000


async def test_concurrent_commands(hass: HomeAssistant, client: MockHAClientWebSocket) -> None:
    """Of 200 commands that come together, what was acknowledged is what is there."""
    create = {"type": "developer_credentials/create", "domain": "acme", "verify": False}
    ids: dict[int, str] = {}
    for number in range(100):
        # Each client id comes twice.
        message = {**create, "client_id": f"id-{number // 2}", "client_secret": SENTINEL}
        await client.send_json_auto_id(message)
    answers = [await client.receive_json() for _ in range(100)]
    created = [answer["result"] for answer in answers if answer["success"]]
    assert sorted(one["client_id"] for one in created) == sorted(f"id-{n}" for n in range(50))
    assert {answer["error"]["code"] for answer in answers if not answer["success"]} == {
        "already_configured"
    }

    expected = {one["id"]: one["client_id"] for one in created}
    commands: list[dict[str, object]] = []
    for number, one in enumerate(created):
        this = {"developer_credentials_id": one["id"]}
        update = {**this, "client_id": f"new-{number // 2}", "verify": False}
        commands.append({"type": "developer_credentials/update", **update})
        if number % 3 == 0:
            commands.append({"type": "developer_credentials/delete", **this})
        else:
            commands.append({"type": "developer_credentials/update", **update, "name": "Renamed"})
    for number, message in enumerate(commands):
        ids[number] = str(message["developer_credentials_id"])
        await client.send_json_auto_id(message)
    first = max(answer["id"] for answer in answers) + 1
    for answer in [await client.receive_json() for _ in commands]:
        number = answer["id"] - first
        if not answer["success"]:
            assert answer["error"]["code"] in {"already_configured", "not_found"}
        elif answer["result"] is None:
            del expected[ids[number]]
        elif ids[number] in expected:
            expected[ids[number]] = answer["result"]["client_id"]
    await asyncio.sleep(0)
    entry = entry_of(hass)
    assert {
        one: subentry.data["client_id"] for one, subentry in entry.subentries.items()
    } == expected
    assert all(one["client_secret"] == SENTINEL for one in stored(hass))


async def test_restore_and_relink(hass: HomeAssistant, install: Install, command: Command) -> None:
    """A tool restores a deleted credential that is used, and moves its entries to another one."""
    await add_credential(hass, "acme")
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "acme_client_id"})
    await hass.config_entries.async_add(entry)
    before = stored(hass)
    (subentry_id,) = entry_of(hass).subentries
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry_id)
    await hass.async_block_till_done()
    key = {"domain": "acme", "auth_domain": "acme_client_id"}
    item = await command("restore", **key)
    assert (item["id"], item["entries"]) == (subentry_id, [entry.entry_id])
    assert stored(hass) == before

    other = await add_credential(hass, "acme", "other")
    this = {"developer_credentials_id": other.subentry_id}
    assert await command("relink", **key, **this) is None
    assert entry.data["auth_implementation"] == "acme_other"
    (flow,) = hass.config_entries.flow.async_progress_by_handler("acme")
    assert flow["context"]["source"] == SOURCE_REAUTH
    stranger = await add_credential(hass, "demo_cloud", "stranger")
    this = {"developer_credentials_id": stranger.subentry_id}
    assert await command("relink", **key, **this) == "not_found"
    assert entry.data["auth_implementation"] == "acme_other"


async def _install_peer(
    hass: HomeAssistant, install: Install, demo_cloud: DemoAuthorizationServer
) -> None:
    """Install an integration on application credentials, and set these up."""
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    install(
        "peer",
        application_credentials=(
            "from homeassistant.components.application_credentials import AuthorizationServer\n"
            "async def async_get_authorization_server(hass):\n"
            f"    url = '{demo_cloud.url}'\n"
            "    return AuthorizationServer(f'{url}/authorize', f'{url}/token')"
        ),
    )
    assert await async_setup_component(hass, "application_credentials", {})


async def test_application_credentials(
    hass: HomeAssistant,
    install: Install,
    demo_cloud: DemoAuthorizationServer,
    command: Command,
) -> None:
    """Those of Home Assistant are listed where they are wanted, and verified."""
    await _install_peer(hass, install, demo_cloud)
    ours = await add_credential(hass, "acme")
    collection = hass.data[DATA_COMPONENT]
    item = {"domain": "peer", "client_id": "id", "client_secret": SENTINEL, "name": "My app"}
    await collection.async_create_item(item)
    await hass.async_block_till_done()
    entry = MockConfigEntry(domain="peer", data={"auth_implementation": "peer_id"})
    entry.add_to_hass(hass)
    (first,) = await command("list")
    assert await command("list", application_credentials=False) == [first]
    told = {
        "application_credential": True,
        "id": "peer_id",
        "domain": "peer",
        "client_id": "id",
        "name": "My app",
        "auth_domain": "peer_id",
        "has_secret": True,
        "entries": [entry.entry_id],
        "rejected": False,
    }
    assert await command("list", application_credentials=True) == [first, told]
    this = {"application_credentials_id": "peer_id"}
    assert (await command("verify", **this))["outcome"] == "accepted"
    demo_cloud.clients["id"].client_secret = f"{SENTINEL}-rotated"
    answer = await command("verify", **this)
    assert answer["outcome"] == "rejected"
    assert answer["detail"].startswith("invalid_client")
    _, told = await command("list", application_credentials=True)
    assert told["rejected"]

    await async_import_client_credential(hass, "peer", ClientCredential("new", SENTINEL))
    hass.config_entries.async_update_entry(entry, data={"auth_implementation": "peer"})
    await collection.async_delete_item("peer_new")
    await hass.async_block_till_done()
    restored = await command("restore", domain="peer", auth_domain="peer")
    assert (restored["id"], restored["entries"]) == ("peer_new", [entry.entry_id])
    assert collection.data["peer_new"]["client_secret"] == SENTINEL

    assert await command("list", application_credentials="yes") == "invalid_format"
    assert await command("verify", application_credentials_id="gone") == "not_found"
    assert await command("verify") == "invalid_format"
    both = {**this, "developer_credentials_id": ours.subentry_id}
    assert await command("verify", **both) == "invalid_format"
    collection.data["peer_id"]["domain"] = "uninstalled"
    assert await command("verify", **this) == "not_found"


async def test_update_application_credential(
    hass: HomeAssistant,
    install: Install,
    demo_cloud: DemoAuthorizationServer,
    command: Command,
) -> None:
    """A tool edits an application credential of Home Assistant, verified as in the UI."""
    await _install_peer(hass, install, demo_cloud)
    collection = hass.data[DATA_COMPONENT]
    item = {"domain": "peer", "client_id": "old", "client_secret": SENTINEL, "name": "My app"}
    created = await collection.async_create_item(item)
    await hass.async_block_till_done()
    this = {"application_credentials_id": created["id"]}
    name = "update_application_credential"
    assert await command(name, **this, client_secret=f"{SENTINEL}-wrong") == "rejected"
    assert await command(name, **this, client_id="id") == {
        "application_credential": True,
        "id": "peer_old",
        "domain": "peer",
        "client_id": "id",
        "name": "My app",
        "auth_domain": "peer_old",
        "has_secret": True,
        "entries": [],
        "rejected": False,
    }
    assert collection.async_items() == [{**created, "client_id": "id"}]

    async def async_verify(
        subject: PeerCredential, credential: DeveloperCredential
    ) -> Verification:
        collection.data.clear()
        return Verification(Outcome.ACCEPTED, "", credential)

    with patch.object(PeerCredential, "async_verify", async_verify):
        assert await command(name, **this, name="Renamed") == "not_found"
    assert collection.async_items() == []
