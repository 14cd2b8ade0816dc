"""Tests of credentials from YAML."""

import asyncio
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser, flush_store

from custom_components.developer_credentials import (
    DeveloperCredential,
    async_import_developer_credential,
)
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials import yaml_reader
from tests.common import (
    CONFIG_FLOW,
    PLATFORM,
    SENTINEL,
    add_credential,
    entry_of,
    issue_ids,
    stored,
)
from tests.conftest import Install
from tests.credentials.configuration import reload, start, values

OWN_YAML = (
    PLATFORM
    + """
async def async_get_developer_credential(hass):
    return hass.data.get("own_yaml")
"""
)


@pytest.fixture(autouse=True)
def no_verification() -> Iterator[None]:
    """Have no server asked about what is imported: that is tested elsewhere."""
    with patch("custom_components.developer_credentials.yaml_verification.async_verify"):
        yield


async def test_changed(hass: HomeAssistant, tmp_path: Path) -> None:
    """A secret that has changed in YAML changes the credential; nothing else is touched."""
    item = "developer_credentials:\n  domain: demo_cloud\n  client_id: id\n  client_secret: "
    await start(hass, tmp_path, f"{item}{SENTINEL}-1\n")
    before = stored(hass)
    entry = entry_of(hass)
    (subentry,) = entry.subentries.values()

    # What the user edited stays, for as long as YAML says what it said.
    edited = {**subentry.data, "client_secret": f"{SENTINEL}-2"}
    hass.config_entries.async_update_subentry(entry, subentry, data=edited)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert stored(hass) == [edited]

    hass.config.components.remove(DOMAIN)
    await hass.config_entries.async_unload(entry.entry_id)
    await start(hass, tmp_path, f"{item}{SENTINEL}-3\n  name: Renamed\n")
    (after,) = stored(hass)
    assert after["name"] == "Renamed"
    assert subentry.title == "Demo Cloud: Renamed"
    assert after["client_secret"] == f"{SENTINEL}-3"
    assert after["auth_domain"] == before[0]["auth_domain"]
    assert after["imported"] != before[0]["imported"]


YAML = """
developer_credentials:
  - domain: demo_cloud
    client_id: !secret id
    client_secret: !secret secret
"""

SECRETS = f"id: id\nsecret: {SENTINEL}\n"


async def test_reload(hass: HomeAssistant, tmp_path: Path) -> None:
    """A secret that has changed in secrets.yaml is taken over when the YAML is reloaded."""
    await start(hass, tmp_path, YAML, SECRETS)
    (implementation,) = (await async_get_implementations(hass, "demo_cloud")).values()
    await reload(hass, tmp_path, YAML, f"id: id\nsecret: {SENTINEL}-rotated\n")
    assert values(hass, "client_id", "client_secret") == [("id", f"{SENTINEL}-rotated")]
    assert vars(implementation)["client_secret"] == f"{SENTINEL}-rotated"


async def test_reload_mends_problems(hass: HomeAssistant, tmp_path: Path) -> None:
    """A reload finds new problems and forgets the mended ones; what cannot be read is left."""
    await start(hass, tmp_path, "developer_credentials: [just text]\n")
    assert len(issue_ids(hass)) == 1
    await reload(hass, tmp_path, YAML, SECRETS)
    assert issue_ids(hass) == []
    assert values(hass, "client_id") == [("id",)]
    before = stored(hass)
    with pytest.raises(ServiceValidationError) as raised:
        await reload(hass, tmp_path, "developer_credentials: [\n")
    assert (raised.value.translation_domain, raised.value.translation_key) == (
        DOMAIN,
        "yaml_invalid",
    )
    assert stored(hass) == before
    with (
        patch(f"{RELOAD}.async_integration_yaml_config", return_value=None),
        pytest.raises(ServiceValidationError, match="YAML configuration is invalid"),
    ):
        await reload(hass, tmp_path, YAML)
    assert stored(hass) == before


RELOAD = "custom_components.developer_credentials"


async def test_reload_of_nothing(hass: HomeAssistant, install: Install, tmp_path: Path) -> None:
    """Without an item there is nothing to import; problems of platforms are not of the list."""
    await start(hass, tmp_path, "homeassistant:\n")
    await reload(hass, tmp_path, "homeassistant:\n")
    assert hass.config_entries.async_entries(DOMAIN) == []
    install("broken", "")
    await add_credential(hass, "broken")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "broken")
    await reload(hass, tmp_path, "homeassistant:\n")
    assert issue_ids(hass) == ["platform_broken"]


async def test_reload_while_disabled(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disabled entry is left alone by a reload as well; whoever calls it is told."""
    await start(hass, tmp_path, YAML, SECRETS)
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    with pytest.raises(ServiceValidationError, match="Developer Credentials is disabled"):
        await reload(hass, tmp_path, YAML, f"id: id\nsecret: {SENTINEL}-2\n")
    assert values(hass, "client_secret") == [(SENTINEL,)]
    # Without items there is nothing that was not done.
    assert "not imported, since Developer Credentials is disabled" in caplog.text
    await hass.config_entries.async_set_disabled_by(entry_id, None)
    await hass.async_block_till_done()
    assert values(hass, "client_secret") == [(f"{SENTINEL}-2",)]


async def test_reload_is_for_admins(
    hass: HomeAssistant, setup: None, hass_read_only_user: MockUser
) -> None:
    """Only an admin reloads."""
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(DOMAIN, "reload", blocking=True, context=context)


@pytest.mark.parametrize(
    "without", ["homeassistant:\n", "developer_credentials:\n  # - domain: demo_cloud\n"]
)
async def test_item_is_gone(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture, without: str
) -> None:
    """A credential whose item is gone, or a comment, stays, which is logged once.

    There is nothing to repair.
    """
    await start(hass, tmp_path, YAML, SECRETS)
    caplog.clear()
    for told in (1, 0):
        await reload(hass, tmp_path, without)
        assert issue_ids(hass) == []
        assert caplog.text.count("was removed from the YAML configuration") == told
        caplog.clear()
    assert values(hass, "client_id", "auth_domain") == [("id", "demo_cloud")]
    # It comes back as what it was.
    await reload(hass, tmp_path, YAML, SECRETS)
    assert issue_ids(hass) == []
    assert values(hass, "client_id", "auth_domain") == [("id", "demo_cloud")]


async def test_item_cannot_be_read(hass: HomeAssistant, tmp_path: Path) -> None:
    """An item with a mistake is not gone, nor has it another client id."""
    await start(hass, tmp_path, YAML, SECRETS)
    before = stored(hass)
    mistake = (
        "  - domain: demo_cloud\n    client_id: 1.2\n  - {domain: demo_cloud, client_id: new}\n"
    )
    await reload(hass, tmp_path, f"developer_credentials:\n{mistake}")
    (issue_id,) = issue_ids(hass)
    assert issue_id.startswith("yaml_not_text_")
    assert stored(hass)[0] == before[0]
    assert values(hass, "client_id") == [("id",), ("new",)]


async def test_another_client_id(hass: HomeAssistant, tmp_path: Path) -> None:
    """An item with another client id changes its credential; the key of the entries stays."""
    await start(hass, tmp_path, YAML, SECRETS)
    account = MockConfigEntry(domain="demo_cloud", data={"auth_implementation": "demo_cloud"})
    account.add_to_hass(hass)
    await reload(hass, tmp_path, YAML, f"id: new\nsecret: {SENTINEL}-new\n")
    assert values(hass, "client_id", "auth_domain", "client_secret") == [
        ("new", "demo_cloud", f"{SENTINEL}-new")
    ]
    (flow,) = hass.config_entries.flow.async_progress_by_handler("demo_cloud")
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert issue_ids(hass) == []


async def test_several_client_ids(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it cannot be told which one has changed, they are other credentials."""
    await start(hass, tmp_path, YAML, SECRETS)
    await reload(
        hass, tmp_path, f"{YAML}  - {{domain: demo_cloud, client_id: c}}\n", "id: b\nsecret: s"
    )
    assert values(hass, "client_id") == [("id",), ("b",), ("c",)]
    assert caplog.text.count("was removed from the YAML configuration") == 1


async def test_client_id_edited_in_the_ui(hass: HomeAssistant, tmp_path: Path) -> None:
    """A client id that the user has edited stays, for as long as YAML says what it said."""
    await start(hass, tmp_path, YAML, SECRETS)
    entry = entry_of(hass)
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data={**subentry.data, "client_id": "edited"},
        unique_id="demo_cloud.edited",
    )
    await reload(hass, tmp_path, YAML, SECRETS)
    assert values(hass, "client_id", "client_secret") == [("edited", SENTINEL)]
    await reload(hass, tmp_path, YAML, f"id: id\nsecret: {SENTINEL}-2\n")
    assert values(hass, "client_id", "client_secret") == [("edited", f"{SENTINEL}-2")]


async def test_both_client_ids_of_an_edited_credential(hass: HomeAssistant, tmp_path: Path) -> None:
    """Where YAML has the client id from before an edit and that from after it, both are there."""
    await start(hass, tmp_path, YAML, SECRETS)
    entry = entry_of(hass)
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "client_id": "b"}, unique_id="demo_cloud.b"
    )
    await reload(hass, tmp_path, f"{YAML}  - {{domain: demo_cloud, client_id: b}}\n", SECRETS)
    assert values(hass, "client_id", "auth_domain") == [
        ("b", "demo_cloud"),
        ("id", "demo_cloud_2"),
    ]
    assert issue_ids(hass) == []


async def test_own_yaml_and_the_list(hass: HomeAssistant, install: Install, tmp_path: Path) -> None:
    """Where both have a credential, the list is what counts."""
    install("acme", OWN_YAML)
    item = "developer_credentials:\n  domain: acme\n  client_id: id\n  client_secret: "
    await start(hass, tmp_path, f"{item}{SENTINEL}-list\n")
    hass.data["own_yaml"] = DeveloperCredential("id", f"{SENTINEL}-own")
    for _ in range(2):
        await async_get_implementations(hass, "acme")
        assert values(hass, "client_secret") == [(f"{SENTINEL}-list",)]


async def test_same_client_as_in_the_ui(hass: HomeAssistant, tmp_path: Path) -> None:
    """An item for a client id that is there already takes that credential over."""
    await async_setup_component(hass, DOMAIN, {})
    await add_credential(hass, "demo_cloud", "id", f"{SENTINEL}-old", "From the UI")
    hass.config.components.remove(DOMAIN)
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    await start(
        hass,
        tmp_path,
        "developer_credentials:\n"
        f"  - domain: demo_cloud\n    client_id: id\n    client_secret: {SENTINEL}\n",
    )
    assert values(hass, "auth_domain", "client_secret", "name") == [
        ("demo_cloud_id", SENTINEL, "From the UI")
    ]


async def test_name_alone_is_changed(hass: HomeAssistant, tmp_path: Path) -> None:
    """What YAML has not changed is left as the user has edited it."""
    item = (
        "developer_credentials:\n"
        f"  domain: demo_cloud\n  client_id: id\n  client_secret: {SENTINEL}\n"
    )
    await start(hass, tmp_path, item)
    entry = entry_of(hass)
    (subentry,) = entry.subentries.values()
    edited = {**subentry.data, "client_secret": f"{SENTINEL}-edited"}
    hass.config_entries.async_update_subentry(entry, subentry, data=edited)
    hass.config.components.remove(DOMAIN)
    await hass.config_entries.async_unload(entry.entry_id)
    await start(hass, tmp_path, f"{item}  name: New\n")
    assert values(hass, "client_secret", "name") == [(f"{SENTINEL}-edited", "New")]


async def test_name_is_removed(hass: HomeAssistant, tmp_path: Path) -> None:
    """A name that YAML no longer has stays, as any name that it does not say."""
    await start(hass, tmp_path, f"{YAML}    name: My app\n", SECRETS)
    await reload(hass, tmp_path, YAML, f"id: id\nsecret: {SENTINEL}-2\n")
    assert values(hass, "client_secret", "name") == [(f"{SENTINEL}-2", "My app")]
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.title == "Demo Cloud: My app"


async def test_disabled_entry(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disabled entry is left alone, and that is said."""
    await async_setup_component(hass, DOMAIN, {})
    await add_credential(hass, "demo_cloud", "id")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    hass.config.components.remove(DOMAIN)
    item = "developer_credentials:\n  domain: demo_cloud\n  client_id: another\n"
    await start(hass, tmp_path, item)
    assert values(hass, "client_id") == [("id",)]
    assert "not imported, since Developer Credentials is disabled" in caplog.text


async def test_own_yaml_is_older_than_the_ui(
    hass: HomeAssistant, install: Install, setup: None
) -> None:
    """A secret from the UI stays until the integration's own YAML changes."""
    install("acme", OWN_YAML)
    await add_credential(hass, "acme", "id", f"{SENTINEL}-ui")
    for in_yaml, expected in (("old", "ui"), ("old", "ui"), ("new", "new")):
        hass.data["own_yaml"] = DeveloperCredential("id", f"{SENTINEL}-{in_yaml}")
        (implementation,) = (await async_get_implementations(hass, "acme")).values()
        assert vars(implementation)["client_secret"] == f"{SENTINEL}-{expected}"


async def test_own_yaml_while_this_integration_is_set_up(
    hass: HomeAssistant, install: Install
) -> None:
    """An integration that asks while this one is being set up is given its credential."""
    install("acme", OWN_YAML)
    hass.data["own_yaml"] = DeveloperCredential("id", SENTINEL)
    setup = hass.async_create_task(async_setup_component(hass, DOMAIN, {}))
    for _ in range(1000):
        if "oauth2_providers" in hass.data:
            break
        await asyncio.sleep(0)
    assert list(await async_get_implementations(hass, "acme")) == ["acme"]
    assert await setup


@pytest.mark.parametrize("secret", ["s" * 4096 + SENTINEL, f"{SENTINEL}'\"%&+ü: #"])
async def test_secret_survives_yaml_and_storage(
    hass: HomeAssistant, tmp_path: Path, hass_storage: dict[str, Any], secret: str
) -> None:
    """A secret is in the storage as it is in YAML."""
    item = {"domain": "demo_cloud", "client_id": "id", "client_secret": secret}
    await start(hass, tmp_path, json.dumps({DOMAIN: [item]}, ensure_ascii=False))
    await flush_store(hass.config_entries._store)  # noqa: SLF001
    (entry,) = hass_storage["core.config_entries"]["data"]["entries"]
    assert entry["subentries"][0]["data"]["client_secret"] == secret


async def test_integrations_own_yaml(hass: HomeAssistant, install: Install, setup: None) -> None:
    """The credential from an integration's own YAML is imported, with its domain as auth domain."""
    install("acme", OWN_YAML)
    assert await async_get_implementations(hass, "acme") == {}
    assert hass.config_entries.async_entries(DOMAIN) == []
    hass.data["own_yaml"] = DeveloperCredential("id", SENTINEL, "From YAML")
    for _ in range(2):
        assert list(await async_get_implementations(hass, "acme")) == ["acme"]
    assert issue_ids(hass) == ["integration_yaml_acme"]
    assert values(hass, "client_id", "client_secret", "name") == [("id", SENTINEL, "From YAML")]
    hass.data["own_yaml"] = DeveloperCredential("id", f"{SENTINEL}-2")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    assert vars(implementation)["client_secret"] == f"{SENTINEL}-2"
    # The lines are gone: the credential stays, and there is nothing to tell any more.
    hass.data["own_yaml"] = None
    assert list(await async_get_implementations(hass, "acme")) == ["acme"]
    assert issue_ids(hass) == []


async def test_another_client_id_in_own_yaml(
    hass: HomeAssistant, install: Install, setup: None
) -> None:
    """Another client id in an integration's own YAML changes its credential, not another one."""
    install("acme", OWN_YAML)
    await add_credential(hass, "acme", "from the UI")
    for client_id in ("id", "new"):
        hass.data["own_yaml"] = DeveloperCredential(client_id, SENTINEL)
        await async_get_implementations(hass, "acme")
        assert values(hass, "client_id", "auth_domain") == [
            ("from the UI", "acme_from_the_ui"),
            (client_id, "acme"),
        ]
    hass.data["own_yaml"] = DeveloperCredential("from the UI", SENTINEL)
    await async_get_implementations(hass, "acme")
    assert values(hass, "client_id") == [("from the UI",), ("new",)]


async def test_another_client_id_in_own_yaml_whose_key_was_taken(
    hass: HomeAssistant, install: Install, setup: None
) -> None:
    """It changes its credential also where that has another key than it had asked for."""
    install("acme", PLATFORM)
    await async_import_developer_credential(hass, "acme", DeveloperCredential("a"), "acme_b")
    await add_credential(hass, "acme", "b")
    for client_id in ("c", "d"):
        credential = DeveloperCredential(client_id, SENTINEL)
        await async_import_developer_credential(hass, "acme", credential, "acme_b_2")
    assert values(hass, "client_id", "auth_domain") == [
        ("a", "acme_b"),
        ("b", "acme_b_2"),
        ("d", "acme_b_2_2"),
    ]


@pytest.mark.parametrize("broken", ["raise ValueError('x')", "return 'id'"])
async def test_broken_own_yaml(
    hass: HomeAssistant, install: Install, setup: None, broken: str
) -> None:
    """A platform that cannot tell its YAML is told of; stored credentials remain available."""
    install("acme", f"{PLATFORM}\nasync def async_get_developer_credential(hass):\n    {broken}\n")
    await add_credential(hass, "acme")
    assert list(await async_get_implementations(hass, "acme")) == ["acme_client_id"]
    assert ir.async_get(hass).async_get_issue(DOMAIN, "platform_acme")
    assert list(await async_get_implementations(hass, "acme")) == ["acme_client_id"]
    assert ir.async_get(hass).async_get_issue(DOMAIN, "platform_acme")


async def test_import_function(hass: HomeAssistant, install: Install, setup: None) -> None:
    """An integration may import a credential itself, with the auth domain that its entries have."""
    install("acme", PLATFORM)
    credential = DeveloperCredential("id", SENTINEL)
    tasks = [
        hass.async_create_task(
            async_import_developer_credential(hass, "acme", credential, "legacy")
        )
        for _ in range(3)
    ]
    for task in tasks:
        await task
    assert values(hass, "domain", "auth_domain", "client_id") == [("acme", "legacy", "id")]


async def test_import_without_dependency(hass: HomeAssistant) -> None:
    """A developer who forgot the dependency is told."""
    with pytest.raises(ValueError, match="must have developer_credentials among the dependencies"):
        await async_import_developer_credential(hass, "acme", DeveloperCredential("id"))


TENANTS = """
from custom_components.developer_credentials import AuthorizationServer, ServerVariable

async def async_get_authorization_server(hass):
    url = "https://{tenant}.cloud.example/"
    return AuthorizationServer(url, url, variables=[ServerVariable("tenant", "Tenant")])
"""
TENANT = "  - {domain: acme, client_id: id, variables: {tenant: T}}\n"


async def test_another_tenant(hass: HomeAssistant, install: Install, tmp_path: Path) -> None:
    """An item with other values of variables changes its credential, and users log in again."""
    install("acme", TENANTS, config_flow=CONFIG_FLOW)
    items = f"{DOMAIN}:\n{TENANT}"
    await start(hass, tmp_path, items.replace("T", "home"))
    account = MockConfigEntry(domain="acme", data={"auth_implementation": "acme"})
    account.add_to_hass(hass)
    await reload(hass, tmp_path, items.replace("T", "home"))
    assert hass.config_entries.flow.async_progress() == []
    await reload(hass, tmp_path, items.replace("T", "work"))
    assert values(hass, "auth_domain", "variables") == [("acme", {"tenant": "work"})]
    (flow,) = hass.config_entries.flow.async_progress_by_handler("acme")
    assert flow["context"]["source"] == SOURCE_REAUTH
    # Of two, each finds its own.
    await reload(hass, tmp_path, items.replace("T", "home") + TENANT.replace("T", "work"))
    assert values(hass, "auth_domain", "variables") == [
        ("acme", {"tenant": "work"}),
        ("acme_2", {"tenant": "home"}),
    ]
    assert issue_ids(hass) == []


async def test_variable_that_came_later(
    hass: HomeAssistant, install: Install, tmp_path: Path
) -> None:
    """An item that is given values of variables, which it had none of, is the same credential."""
    install("acme", PLATFORM + TENANTS.replace("async_get_authorization_server", "unused"))
    await start(hass, tmp_path, f"{DOMAIN}:\n  - {{domain: acme, client_id: id}}\n")
    with patch.object(yaml_reader, "async_get_variables", return_value=None):
        await reload(hass, tmp_path, f"{DOMAIN}:\n{TENANT.replace('T', 'home')}")
    assert values(hass, "auth_domain", "variables") == [("acme", {"tenant": "home"})]


FILE = f'{{"web": {{"client_id": "x", "client_secret": "{SENTINEL}"}}}}'


async def test_file_from_an_integration(hass: HomeAssistant, install: Install) -> None:
    """A provider's file that an integration has read as a client id is refused."""
    install("acme", OWN_YAML)
    assert await async_setup_component(hass, DOMAIN, {})
    with pytest.raises(ValueError, match="client_id has more than its value") as raised:
        await async_import_developer_credential(hass, "acme", DeveloperCredential(FILE))
    assert SENTINEL not in str(raised.value)
    hass.data["own_yaml"] = DeveloperCredential(FILE)
    assert await async_get_implementations(hass, "acme") == {}
    assert issue_ids(hass) == ["platform_acme"]
    assert SENTINEL not in repr(ir.async_get(hass).issues)
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_reload_of_nothing_while_disabled(hass: HomeAssistant, tmp_path: Path) -> None:
    """Without an item there is nothing to refuse while Developer Credentials is disabled."""
    await start(hass, tmp_path, "developer_credentials:\n")
    entry = MockConfigEntry(domain=DOMAIN, disabled_by=ConfigEntryDisabler.USER)
    entry.add_to_hass(hass)
    await reload(hass, tmp_path, "developer_credentials: []\n")
    assert stored(hass) == []
