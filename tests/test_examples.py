"""The recipes of the developer guide run, each as the integration that it is a part of."""

from collections.abc import AsyncIterator
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Final

from homeassistant import loader
from homeassistant.components.application_credentials import (
    DOMAIN as PEER,
)
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowContext
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

import custom_components
from custom_components.developer_credentials import DeveloperCredential, InvalidClientError
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_add_credential,
    async_expire_token,
    async_log_in,
    async_log_in_again,
)
from tests.common import CONFIG_FLOW, PLATFORM, SENTINEL, entry_of, issue_ids, stored
from tests.conftest import COMPONENTS, Install

ROOT: Final = Path(__file__).parent.parent
EXAMPLES: Final = ROOT / "docs" / "examples"
SECRET: Final = {"client_secret": CREDENTIAL.client_secret}

INIT: Final = (EXAMPLES / "both_platforms" / "__init__.py").read_text()


def _example(name: str) -> str:
    return (EXAMPLES / f"{name}.py").read_text()


@pytest.fixture(autouse=True)
async def server(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run an authorization server in the place of the one that the examples declare."""
    async with MockAuthorizationServer(hass) as server:
        server.token_fields["account"] = "somebody"
        server.clients["the-first"] = SENTINEL
        yield server


class TestBothPlatforms:
    """A release that works with Developer Credentials, and without."""

    @pytest.fixture
    def acme(self, install: Install, tmp_path: Path) -> Path:
        """Install the example."""
        folder = tmp_path / "custom_components" / "acme"
        folder.mkdir()
        for file in (EXAMPLES / "both_platforms").iterdir():
            if file.is_file():
                (folder / file.name).write_text(file.read_text())
        return folder

    @pytest.fixture
    def without(
        self, acme: Path, monkeypatch: pytest.MonkeyPatch, aioclient_mock: AiohttpClientMocker
    ) -> None:
        """Take Developer Credentials away; Home Assistant's own requests reach a mock."""
        _take_away(monkeypatch, acme)
        token = {
            "access_token": f"{SENTINEL}-access",
            "refresh_token": f"{SENTINEL}-refresh",
            "expires_in": 3600,
            "account": "somebody",
        }
        aioclient_mock.post("https://cloud.example/token", json=token)

    @pytest.mark.usefixtures("without")
    async def test_without(self, hass: HomeAssistant, aioclient_mock: AiohttpClientMocker) -> None:
        """Without Developer Credentials it is an integration on application credentials."""
        entry = await _log_in_with_peer(hass)
        assert entry.state is ConfigEntryState.LOADED
        async_expire_token(hass, entry)
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        grants = [data["grant_type"] for _, _, data, _ in aioclient_mock.mock_calls]
        assert grants == ["authorization_code", "refresh_token"]
        entry.async_start_reauth(hass)
        assert (await async_log_in_again(hass, entry))["reason"] == "reauth_successful"
        # Nothing has set it up behind the user's back.
        assert DOMAIN not in hass.config.components

    @pytest.mark.usefixtures("without")
    async def test_without_a_credential(self, hass: HomeAssistant) -> None:
        """Without either, Home Assistant says what is missing."""
        assert await async_setup_component(hass, PEER, {})
        assert (await async_log_in(hass, "acme"))["reason"] == "missing_credentials"

    @pytest.mark.usefixtures("acme")
    async def test_with(self, hass: HomeAssistant, server: MockAuthorizationServer) -> None:
        """With Developer Credentials, even where it was not set up, the dialog asks for one."""
        assert DOMAIN not in hass.config.components
        answers = {"client_id": CREDENTIAL.client_id, **SECRET}
        result = await async_log_in(hass, "acme", answers)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        entry = result["result"]
        assert entry.state is ConfigEntryState.LOADED
        assert entry.data["auth_implementation"] == stored(hass)[0]["auth_domain"]
        async_expire_token(hass, entry)
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        assert server.token_requests[-1]["grant_type"] == "refresh_token"

    @pytest.mark.usefixtures("without")
    async def test_no_gap(
        self,
        hass: HomeAssistant,
        acme: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Nobody logs in again, neither with this release nor with the next one."""
        entry = await _log_in_with_peer(hass)
        # The user installs Developer Credentials, and sets it up.
        monkeypatch.undo()
        await _restart(hass, entry)
        await async_add_credential(hass, "acme", DeveloperCredential("another"))
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        assert set(await async_get_implementations(hass, "acme")) == {"acme", "acme_another"}
        # The next release has one platform only.
        (acme / "application_credentials.py").unlink()
        manifest = json.loads((acme / "manifest.json").read_text())
        del manifest["after_dependencies"]
        manifest["dependencies"] = [DOMAIN]
        (acme / "manifest.json").write_text(json.dumps(manifest))
        await _restart(hass, entry)
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        assert set(await async_get_implementations(hass, "acme")) == {"acme", "acme_another"}
        taken_over = [one for one in stored(hass) if one["auth_domain"] == "acme"]
        assert [one["client_id"] for one in taken_over] == ["the-first"]
        assert hass.config_entries.flow.async_progress() == []


def _take_away(monkeypatch: pytest.MonkeyPatch, acme: Path) -> None:
    """Let Home Assistant find the example, and no Developer Credentials."""
    monkeypatch.setattr(custom_components, "__path__", [*COMPONENTS[1:], str(acme.parent)])
    monkeypatch.setitem(sys.modules, "custom_components.developer_credentials", None)


async def _restart(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Unload the account, and let Home Assistant look at the files of integrations again."""
    await hass.config_entries.async_unload(entry.entry_id)
    for key in (loader.DATA_CUSTOM_COMPONENTS, loader.DATA_MISSING_PLATFORMS):
        hass.data.pop(key, None)
    hass.data[loader.DATA_MISSING_PLATFORMS] = {}
    hass.data[loader.DATA_INTEGRATIONS].pop("acme", None)


async def _log_in_with_peer(hass: HomeAssistant) -> ConfigEntry:
    """Log in with an application credential of Home Assistant."""
    assert await async_setup_component(hass, PEER, {})
    credential = ClientCredential("the-first", SENTINEL)
    await async_import_client_credential(hass, "acme", credential)
    result = await async_log_in(hass, "acme")
    entry: ConfigEntry = result["result"]
    return entry


class TestFirstIntegration:
    """The whole integration that the guide begins with."""

    @pytest.fixture(autouse=True)
    def acme(self, install: Install, tmp_path: Path) -> None:
        """Install it as it is."""
        folder = tmp_path / "custom_components" / "acme"
        shutil.copytree(EXAMPLES / "first_integration", folder)

    async def test_all_that_it_does(
        self, hass: HomeAssistant, server: MockAuthorizationServer
    ) -> None:
        """From nothing to an account; a refresh; a reauth with the right account; removal."""
        result = await async_log_in(hass, "acme", {"client_id": CREDENTIAL.client_id, **SECRET})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        entry = result["result"]
        assert entry.state is ConfigEntryState.LOADED
        assert entry.unique_id
        assert (await async_log_in(hass, "acme"))["reason"] == "already_configured"
        async_expire_token(hass, entry)
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        server.refuse_grants()
        async_expire_token(hass, entry)
        await hass.config_entries.async_reload(entry.entry_id)
        assert (await async_log_in_again(hass, entry))["reason"] == "reauth_successful"
        entry.async_start_reauth(hass)
        server.claims["sub"] = "somebody else"
        assert (await async_log_in_again(hass, entry))["reason"] == "wrong_account"
        context: ConfigFlowContext = {"source": "reconfigure", "entry_id": entry.entry_id}
        step = await hass.config_entries.flow.async_init("acme", context=context)
        assert step["type"] is FlowResultType.MENU
        await hass.config_entries.async_remove(entry.entry_id)
        assert server.revoked_tokens


@pytest.mark.timeout(300)
def test_tests_of_the_first_integration(tmp_path: Path) -> None:
    """They pass in a repository that has nothing but the integration, and ours as a package."""
    package, repository = tmp_path / "site-packages", tmp_path / "repository"
    (package / "custom_components").mkdir(parents=True)
    (package / "custom_components" / DOMAIN).symlink_to(ROOT / "custom_components" / DOMAIN)
    shutil.copytree(EXAMPLES / "first_integration", repository / "custom_components" / "acme")
    shutil.copytree(ROOT / "tests" / "first_integration", repository / "tests")
    # Also on a Home Assistant that is newer than the one of the test plugin.
    plugin = "newer_home_assistant"
    command = [sys.executable, "-m", "pytest", "-p", plugin, "-q", "--asyncio-mode=auto", "tests"]
    path = [repository, package, ROOT / "tests"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    result = subprocess.run(  # noqa: S603 - the command is our own
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    assert "4 passed" in result.stdout


async def test_dialog_without_metadata(
    hass: HomeAssistant, install: Install, server: MockAuthorizationServer
) -> None:
    """A login waits for the metadata of the server; that of another issuer is a defect."""
    install("acme", _example("discovered_server"), __init__=INIT, config_flow=CONFIG_FLOW)
    await async_add_credential(hass, "acme")
    server.away = True
    assert (await async_log_in(hass, "acme"))["reason"] == "oauth_implementation_unavailable"
    server.away = False
    server.metadata["issuer"] = "https://cloud.example/"
    assert (await async_log_in(hass, "acme"))["reason"] == "platform_broken"


async def test_tenant(hass: HomeAssistant, install: Install) -> None:
    """The tenant that the user has entered is in the URLs."""
    install("acme", _example("tenant"))
    credential = DeveloperCredential("id", SENTINEL, variables={"tenant": "home"})
    await async_add_credential(hass, "acme", credential)
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    url = await implementation.async_generate_authorize_url("flow")
    assert url.startswith("https://home.cloud.example/authorize?")


async def test_own_steps(hass: HomeAssistant, install: Install) -> None:
    """What was asked before the credential is asked once."""
    install("acme", PLATFORM, __init__=INIT, config_flow=_example("own_steps"))
    answers = {"home": "mine", "client_id": CREDENTIAL.client_id, **SECRET}
    result = await async_log_in(hass, "acme", answers)
    assert result["result"].unique_id == "mine"


async def test_own_yaml(hass: HomeAssistant, install: Install) -> None:
    """The credential of the YAML is there, and a repair says that its lines can go."""
    install("acme", _example("own_yaml"))
    assert await async_setup_component(hass, DOMAIN, {})
    assert await async_get_implementations(hass, "acme") == {}
    hass.data["acme_yaml"] = {"client_id": "id", "client_secret": SENTINEL}
    assert list(await async_get_implementations(hass, "acme")) == ["acme"]
    assert issue_ids(hass) == ["integration_yaml_acme"]


class TestClientInEntry:
    """Clients that were kept in config entries."""

    @pytest.fixture(autouse=True)
    def acme(self, install: Install) -> None:
        """Install an integration that has kept them there, in the version that does no more."""
        flow = _example("both_platforms/config_flow").replace(
            '    DOMAIN = "acme"', '    DOMAIN = "acme"\n    VERSION = 2'
        )
        init = _example("client_in_entry") + INIT.split('"""', 2)[2]
        install("acme", PLATFORM, __init__=init, config_flow=flow)

    def _entry(self, hass: HomeAssistant, account: str, client_id: str) -> MockConfigEntry:
        token = {"access_token": SENTINEL, "refresh_token": account, "expires_at": 2**31}
        data = {
            "auth_implementation": "acme",
            "client_id": client_id,
            "client_secret": f"{SENTINEL}-{client_id}",
            "token": token,
        }
        entry = MockConfigEntry(domain="acme", title=account, data=data, unique_id=account)
        entry.add_to_hass(hass)
        return entry

    async def test_two_clients(self, hass: HomeAssistant) -> None:
        """Each entry keeps its client, whose secret stands in one place; YAML is not spoken of."""
        entries = [self._entry(hass, "mine", "one"), self._entry(hass, "yours", "two")]
        assert await async_setup_component(hass, "acme", {})
        await hass.async_block_till_done()
        assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 2
        clients = {one["auth_domain"]: one for one in stored(hass)}
        for entry, client_id in zip(entries, ("one", "two"), strict=True):
            client = clients[entry.data["auth_implementation"]]
            assert (client["client_id"], client["name"]) == (client_id, entry.title)
            assert client["client_secret"] == f"{SENTINEL}-{client_id}"
            assert entry.data.keys() == {"auth_implementation", "token"}
        assert issue_ids(hass) == []
        assert hass.config_entries.flow.async_progress() == []

    async def test_one_client(self, hass: HomeAssistant) -> None:
        """Two entries of one client get one credential, also one that the user has entered."""
        entries = [self._entry(hass, "mine", "one"), self._entry(hass, "yours", "one")]
        auth_domain = await async_add_credential(hass, "acme", DeveloperCredential("one", SENTINEL))
        assert await async_setup_component(hass, "acme", {})
        await hass.async_block_till_done()
        assert {entry.data["auth_implementation"] for entry in entries} == {auth_domain}
        assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 2
        assert [one["client_secret"] for one in stored(hass)] == [SENTINEL]


class TestBuiltInClient:
    """A client that comes with the integration."""

    @pytest.fixture(autouse=True)
    def acme(self, install: Install) -> None:
        """Install it."""
        install("acme", PLATFORM, __init__=INIT, config_flow=_example("built_in_client"))

    async def test_nothing_is_asked(
        self, hass: HomeAssistant, server: MockAuthorizationServer
    ) -> None:
        """The user only logs in; of YAML nobody speaks, and a second login has it once."""
        server.clients["home-assistant-at-acme"] = ""
        for _ in range(2):
            result = await async_log_in(hass, "acme")
            assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["result"].state is ConfigEntryState.LOADED
        assert [one["client_id"] for one in stored(hass)] == ["home-assistant-at-acme"]
        (subentry,) = entry_of(hass).subentries.values()
        assert subentry.title == "Acme"
        assert issue_ids(hass) == []
        # A public client has PKCE.
        assert "code_challenge" in server.authorization_requests[-1]

    async def test_another_one_in_an_update(
        self, hass: HomeAssistant, server: MockAuthorizationServer
    ) -> None:
        """Another client in a later release takes the place of the first."""
        server.clients["home-assistant-at-acme"] = ""
        await async_log_in(hass, "acme")
        server.clients["another"] = ""
        module = sys.modules["custom_components.acme.config_flow"]
        vars(module)["BUILT_IN"] = DeveloperCredential("another")
        await async_log_in(hass, "acme")
        assert [one["client_id"] for one in stored(hass)] == ["another"]

    async def test_a_client_of_the_user(
        self, hass: HomeAssistant, server: MockAuthorizationServer
    ) -> None:
        """Who has a client of their own picks it."""
        name = await async_add_credential(hass, "acme")
        result = await async_log_in(hass, "acme", {"implementation": name})
        assert result["result"].data["auth_implementation"] == name
        assert len(stored(hass)) == 2


async def test_own_redirect_uri(hass: HomeAssistant, install: Install) -> None:
    """The client and the redirect URI of the provider's application are used."""
    install("acme", _example("own_redirect_uri"))
    await async_add_credential(hass, "acme")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    url = await implementation.async_generate_authorize_url("flow")
    assert "client_id=the-application&redirect_uri=acme://login" in url
    assert "code_challenge=" in url


async def test_password_grant(
    hass: HomeAssistant, install: Install, server: MockAuthorizationServer
) -> None:
    """A login with a password; a rejected client is an error of the same kind as ever."""
    install("acme", _example("password_grant"))
    await async_add_credential(hass, "acme")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    log_in = getattr(implementation, "async_log_in")  # noqa: B009 - of a class made of a file
    server.clients.clear()
    with pytest.raises(InvalidClientError):
        await log_in("user", SENTINEL)
    assert server.token_requests[-1]["grant_type"] == "password"
