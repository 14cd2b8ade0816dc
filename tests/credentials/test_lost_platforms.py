"""Tests of integrations whose installed version takes no credentials, though entries use one."""

import json
from pathlib import Path
from unittest.mock import patch

from homeassistant import loader
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
    LocalOAuth2Implementation,
    async_add_implementation_provider,
    async_get_implementations,
    async_register_implementation,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials import lost_platforms
from custom_components.developer_credentials.credentials.lost_platforms import async_check_platform
from custom_components.developer_credentials.platform import PlatformError
from tests.common import CONFIG_FLOW, OFFLINE_PLATFORM, add_credential, entry_of, issue_ids
from tests.conftest import Install

# The minimum version of Home Assistant leaves it to integrations to try again.
INIT = """
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    try:
        await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError as err:
        raise ConfigEntryNotReady(str(err)) from err
    return True

async def async_unload_entry(hass, entry):
    return True
"""

ISSUE = "platform_plain"


@pytest.fixture(autouse=True)
def plain(install: Install) -> None:
    """Install an integration that took credentials in another version."""
    install("plain", __init__=INIT, config_flow=CONFIG_FLOW.replace("acme", "plain"))


async def _entry(hass: HomeAssistant, domain: str = "plain") -> MockConfigEntry:
    """Add an entry that uses the credential, and try to set it up."""
    data = {"auth_implementation": f"{domain}_client_id", "token": {}}
    entry = MockConfigEntry(domain=domain, title="Account", data=data)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def _reauths(hass: HomeAssistant) -> list[str]:
    return [
        flow["flow_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("plain")
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


def _update(hass: HomeAssistant, folder: Path, name: str, text: str) -> None:
    """Change a file of the integration, as an update and a restart of Home Assistant do."""
    (folder / "custom_components" / "plain" / name).write_text(text)
    for key in (loader.DATA_CUSTOM_COMPONENTS, loader.DATA_MISSING_PLATFORMS):
        hass.data.pop(key, None)
    hass.data[loader.DATA_INTEGRATIONS].pop("plain", None)
    hass.data[loader.DATA_MISSING_PLATFORMS] = {}


@pytest.mark.usefixtures("setup", "current_request_with_host")
async def test_lost_and_back(hass: HomeAssistant, tmp_path: Path) -> None:
    """It is said in a repair, and nobody is asked for a login; with the platform all is well."""
    await add_credential(hass, "plain")
    entry = await _entry(hass)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert issue_ids(hass) == [ISSUE]
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    assert issue
    assert issue.translation_key == "platform_missing_platform"
    assert _reauths(hass) == []
    flow = await hass.config_entries.flow.async_init("plain", context={"source": SOURCE_USER})
    assert flow["reason"] == "platform_broken"
    assert "Logging in again does not help" in str(flow["description_placeholders"])
    _update(hass, tmp_path, "developer_credentials.py", OFFLINE_PLATFORM)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert issue_ids(hass) == []


@pytest.mark.usefixtures("current_request_with_host")
async def test_failed_before_the_start(hass: HomeAssistant, tmp_path: Path) -> None:
    """An entry that failed before anybody could say why is told of once all has started."""
    assert await async_setup_component(hass, DOMAIN, {})
    await add_credential(hass, "plain")
    # A new start, at which the integration, which does not depend on ours, comes first.
    manifest = json.loads((tmp_path / "custom_components" / "plain" / "manifest.json").read_text())
    _update(hass, tmp_path, "manifest.json", json.dumps({**manifest, "dependencies": []}))
    for key in list(hass.data):
        if str(key).startswith(f"{DOMAIN}_") or key == "oauth2_providers":
            del hass.data[key]
    hass.config.components.remove(DOMAIN)
    hass.set_state(CoreState.starting)
    entry = await _entry(hass)
    states = [entry.state]
    # What does not want to be set up is left alone.
    unloaded = MockConfigEntry(domain="plain", data=entry.data)
    unloaded.add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    states.append(entry.state)
    assert states == [ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY]
    assert unloaded.state is ConfigEntryState.NOT_LOADED
    assert _reauths(hass) == []


@pytest.mark.parametrize("end", ["entry removed", "credential deleted", "dependency"])
async def test_lost_dependency(hass: HomeAssistant, tmp_path: Path, end: str) -> None:
    """One whose manifest does not name ours may fail at the start; it is told, and set up again."""
    assert await async_setup_component(hass, DOMAIN, {})
    folder = tmp_path / "custom_components" / "plain"
    manifest = json.loads((folder / "manifest.json").read_text())
    dependencies: dict[str, list[str]] = {"dependencies": []}
    if end == "dependency":
        dependencies["after_dependencies"] = [DOMAIN]
    _update(hass, tmp_path, "manifest.json", json.dumps({**manifest, **dependencies}))
    _update(hass, tmp_path, "developer_credentials.py", OFFLINE_PLATFORM)
    subentry = await add_credential(hass, "plain")
    # Before the provider is there, a start looks like this.
    provider = hass.data.pop("oauth2_providers")
    entry = await _entry(hass)
    hass.data["oauth2_providers"] = provider
    states = [entry.state]
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    await lost_platforms._async_check(hass)  # noqa: SLF001 - as at the start
    await hass.async_block_till_done()
    states.append(entry.state)
    if end == "dependency":
        assert states == [ConfigEntryState.SETUP_ERROR] * 2
        assert issue_ids(hass) == []
        return
    assert states == [ConfigEntryState.SETUP_ERROR, ConfigEntryState.LOADED]
    assert issue_ids(hass) == ["dependency_plain"]
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "dependency_plain")
    assert issue
    assert issue.translation_key == "platform_missing_dependency"
    # At a start where it was lucky, it is not set up again.
    with patch.object(hass.config_entries, "async_schedule_reload") as reload:
        await lost_platforms._async_check(hass)  # noqa: SLF001 - as at the start
    reload.assert_not_called()
    hass.config_entries.async_update_entry(other, title="Another title")
    hass.config_entries.async_update_entry(entry, title="Another title")
    assert issue_ids(hass) == ["dependency_plain"]
    if end == "entry removed":
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await hass.async_block_till_done()
    assert "dependency_plain" not in issue_ids(hass)


@pytest.mark.usefixtures("setup")
async def test_changes_of_others_cost_nothing(hass: HomeAssistant, install: Install) -> None:
    """Where neither the integration nor the credentials have changed, no entry is looked at.

    That some platform is broken makes no difference.
    """
    await add_credential(hass, "plain")
    await _entry(hass)
    install("broken", "def")
    await add_credential(hass, "broken")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "broken")
    assert issue_ids(hass) == ["platform_broken", ISSUE]
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    with patch.object(lost_platforms, "async_get_users") as get_users:
        for number in range(3):
            hass.config_entries.async_update_entry(other, title=f"Title {number}")
    assert get_users.call_count == 0


@pytest.mark.parametrize(
    "how", ["entry removed", "entry disabled", "another credential", "credential deleted"]
)
@pytest.mark.usefixtures("setup")
async def test_used_no_more(hass: HomeAssistant, how: str) -> None:
    """Where no entry uses the credential any more, there is nothing to tell."""
    subentry = await add_credential(hass, "plain")
    entry = await _entry(hass)
    assert issue_ids(hass) == [ISSUE]
    if how == "entry removed":
        await hass.config_entries.async_remove(entry.entry_id)
    elif how == "entry disabled":
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    elif how == "another credential":
        hass.config_entries.async_update_entry(entry, data={"auth_implementation": "other"})
    else:
        hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []


def _register(hass: HomeAssistant) -> None:
    implementation = LocalOAuth2Implementation(hass, "own", "id", "", "", "")
    async_register_implementation(hass, "plain", implementation)


@pytest.mark.parametrize(
    "why",
    ["unused", "disabled", "disabled here", "application credentials", "own implementation"],
)
@pytest.mark.usefixtures("setup")
async def test_not_lost(hass: HomeAssistant, tmp_path: Path, why: str) -> None:
    """Nothing is told where no entry needs the platform, or a login brings another credential."""
    await add_credential(hass, "plain", "other" if why == "unused" else "client-id")
    if why == "application credentials":
        _update(hass, tmp_path, "application_credentials.py", "")
    elif why == "own implementation":
        _register(hass)
    elif why == "disabled here":
        entry = entry_of(hass)
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    entry = await _entry(hass)
    if why == "disabled":
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await async_check_platform(hass, "plain")
    assert ISSUE not in issue_ids(hass)


@pytest.mark.usefixtures("setup")
async def test_not_installed(hass: HomeAssistant) -> None:
    """An integration that is not installed is Home Assistant's to tell of."""
    await add_credential(hass, "plain")
    (subentry,) = entry_of(hass).subentries.values()
    data = {**subentry.data, "domain": "gone", "auth_domain": "gone_client_id"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    hass.data.pop(f"{DOMAIN}_index", None)
    await _entry(hass, "gone")
    await async_check_platform(hass, "gone")
    assert issue_ids(hass) == []


@pytest.mark.usefixtures("setup")
async def test_another_provider_fails(hass: HomeAssistant) -> None:
    """A provider that fails may have what the entries need."""
    await add_credential(hass, "plain")
    await _entry(hass)

    async def provide(hass: HomeAssistant, domain: str) -> list[AbstractOAuth2Implementation]:
        raise RuntimeError

    with pytest.raises(PlatformError):
        await async_check_platform(hass, "plain")
    async_add_implementation_provider(hass, "failing", provide)
    await async_check_platform(hass, "plain")
    assert issue_ids(hass) == []


@pytest.mark.usefixtures("setup")
async def test_another_problem_stays(hass: HomeAssistant, install: Install) -> None:
    """What else is told of platforms is none of this."""
    install("broken", "def")
    await add_credential(hass, "broken")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "broken")
    await async_check_platform(hass, "broken")
    await add_credential(hass, "plain")
    entry = await _entry(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == ["platform_broken"]
