"""Tests of the list in configuration.yaml: what it says, and what is wrong with it."""

from pathlib import Path
import re

from homeassistant import config as conf_util
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    async_get_implementations,
)
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml.objects import NodeDictClass
import pytest

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials import yaml_reader
from tests.common import PLATFORM, SENTINEL, entry_of, stored
from tests.conftest import Install
from tests.credentials.configuration import start, values


async def test_readme(hass: HomeAssistant, tmp_path: Path) -> None:
    """The list that the README shows is imported as it stands."""
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text()
    (snippet,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    secrets = f"demo_cloud_client_id: id\ndemo_cloud_client_secret: {SENTINEL}\n"
    await start(hass, tmp_path, snippet, secrets)
    assert values(hass, "domain", "client_id", "client_secret", "name") == [
        ("demo_cloud", "id", SENTINEL, "My app")
    ]


async def test_list(hass: HomeAssistant, install: Install, tmp_path: Path) -> None:
    """The items of the list are imported; the first one keeps the integration's domain."""
    install("acme", PLATFORM)
    await start(
        hass,
        tmp_path,
        """
developer_credentials:
  - domain: demo_cloud
    client_id: !secret demo_cloud_client_id
    client_secret: !secret demo_cloud_client_secret
    name: My app
  - domain: acme
    client_id: public
  - domain: acme
    client_id: another
    client_secret: "%&+ ü"
""",
        f'demo_cloud_client_id: " id "\ndemo_cloud_client_secret: "{SENTINEL}%&+ü"\n',
    )
    assert values(hass, "domain", "auth_domain", "client_id", "client_secret", "name") == [
        ("demo_cloud", "demo_cloud", "id", f"{SENTINEL}%&+ü", "My app"),
        ("acme", "acme", "public", "", "Acme (YAML)"),
        ("acme", "acme_2", "another", "%&+ ü", "Acme (YAML)"),
    ]
    # Those without a name are told from what was entered.
    assert [subentry.title for subentry in entry_of(hass).subentries.values()] == [
        "Demo Cloud: My app",
        "Acme (YAML)",
        "Acme (YAML) 2",
    ]
    assert list(await async_get_implementations(hass, "acme")) == ["acme", "acme_2"]
    assert ir.async_get(hass).issues == {}


@pytest.mark.parametrize(
    "yaml",
    [
        "developer_credentials:\n",
        "developer_credentials:\n  # - domain: demo_cloud\n  #   client_id: id\n",
        "developer_credentials: []\n",
        "homeassistant:\n",
    ],
    ids=["empty", "commented out", "no items", "absent"],
)
@pytest.mark.parametrize("loader", ["as it is", "Home Assistant's"])
async def test_nothing(hass: HomeAssistant, tmp_path: Path, yaml: str, loader: str) -> None:
    """Without an item, nothing is made, and nothing is told."""
    if loader == "as it is":
        await start(hass, tmp_path, yaml)
    else:
        # It makes an empty mapping of nothing.
        (tmp_path / "configuration.yaml").write_text(yaml)
        hass.config.config_dir = str(tmp_path)
        config = await conf_util.async_hass_config_yaml(hass)
        assert await async_setup_component(hass, DOMAIN, config)
        await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert ir.async_get(hass).issues == {}


async def test_empty_item(hass: HomeAssistant, tmp_path: Path) -> None:
    """An item with nothing in it lacks its keys."""
    await start(hass, tmp_path, "developer_credentials: [{}]\n")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "yaml_missing_key"


BAD_ITEMS = {
    "text": ("just text", "not_a_mapping", ""),
    "list": ("[a, b]", "not_a_mapping", ""),
    "number": ("3", "not_a_mapping", ""),
    "nothing": ("", "not_a_mapping", ""),
    "no domain": ("{client_id: id}", "missing_key", "domain"),
    "no client id": ("{domain: demo_cloud}", "missing_key", "client_id"),
    "null client id": ("{domain: demo_cloud, client_id: }", "missing_key", "client_id"),
    "blank client id": ('{domain: demo_cloud, client_id: " "}', "missing_key", "client_id"),
    "fraction as client id": ("{domain: demo_cloud, client_id: 1.50}", "not_text", "client_id"),
    "exponent as client id": ("{domain: demo_cloud, client_id: 1.0e+5}", "not_text", "client_id"),
    "negative as client id": ("{domain: demo_cloud, client_id: -3}", "not_text", "client_id"),
    "date as client id": ("{domain: demo_cloud, client_id: 2024-01-02}", "not_text", "client_id"),
    "yes as client id": ("{domain: demo_cloud, client_id: yes}", "not_text", "client_id"),
    "yes as name": ("{domain: demo_cloud, client_id: id, name: yes}", "not_text", "name"),
    "number as domain": ("{domain: 12, client_id: id}", "not_text", "domain"),
    "number as secret": (
        "{domain: demo_cloud, client_id: id, client_secret: 1.5}",
        "not_text",
        "client_secret",
    ),
    "list as domain": ("{domain: [demo_cloud], client_id: id}", "not_text", "domain"),
    "unknown domain": ("{domain: nowhere, client_id: id}", "unknown_integration", ""),
    "no domain at all": ("{domain: ../x.y, client_id: id}", "unknown_integration", ""),
    "no platform": ("{domain: sun, client_id: id}", "unsupported_integration", "sun"),
    "unknown key": ("{domain: demo_cloud, client_id: id, client_secrte: x}", "unknown_key", ""),
    "no text as key": ("{domain: demo_cloud, client_id: id, 3: x}", "unknown_key", ""),
    "duplicate": ("{domain: demo_cloud, client_id: good}", "duplicate", "client_id"),
}


TENANTS = """
from custom_components.developer_credentials import AuthorizationServer, ServerVariable

async def async_get_authorization_server(hass):
    return AuthorizationServer(
        "https://{tenant}.cloud.example/authorize",
        "https://{tenant}.cloud.example/token?region={region}",
        variables=[
            ServerVariable("tenant", "Tenant"),
            ServerVariable("region", "Region", default="eu"),
        ],
    )
"""


async def test_variables(hass: HomeAssistant, install: Install, tmp_path: Path) -> None:
    """The values of variables are part of what an item is; one that is the default is not kept."""
    install("acme", TENANTS)
    await start(
        hass,
        tmp_path,
        """
developer_credentials:
  - {domain: acme, client_id: id, variables: {tenant: home}}
  - {domain: acme, client_id: id, variables: {tenant: 123, region: us}}
  - {domain: acme, client_id: id, variables: {region: eu, tenant: home}}
  - {domain: acme, client_id: other, variables: {tenant: home, region: eu}}
""",
    )
    assert [(one["auth_domain"], one["variables"]) for one in stored(hass)] == [
        ("acme", {"tenant": "home"}),
        ("acme_2", {"tenant": "123", "region": "us"}),
        ("acme_3", {"tenant": "home"}),
    ]
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "yaml_duplicate"


BAD_VARIABLES = {
    "": ("bad_variable", "tenant"),
    ", variables: ": ("bad_variable", "tenant"),
    ", variables: {tenant: S/x}": ("bad_variable", "tenant"),
    ", variables: {tenant: a, region: S x}": ("bad_variable", "region"),
    ", variables: {tenant: a, sentinel_3f9c: x}": ("unknown_variable", "tenant, region"),
    ", variables: S": ("not_variables", "variables"),
    ", variables: [S]": ("not_variables", "variables"),
    ", variables: {S: S}": ("not_variables", "variables"),
    ", variables: {tenant: [S]}": ("not_variables", "variables"),
    ", variables: {tenant: 1.5}": ("not_variables", "variables"),
    ", variables: {3: S}": ("not_variables", "variables"),
}


@pytest.mark.parametrize(("text", "told"), BAD_VARIABLES.items(), ids=list(BAD_VARIABLES))
async def test_bad_variables(
    hass: HomeAssistant,
    install: Install,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    text: str,
    told: tuple[str, str],
) -> None:
    """A value that is missing or bad is told by its key; what the user wrote is not."""
    install("acme", TENANTS)
    item = re.sub(r"\bS", SENTINEL, f"{{domain: acme, client_id: id{text}}}")
    await start(hass, tmp_path, f"{DOMAIN}:\n  - {item}\n")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert (issue.translation_key, issue.translation_placeholders["key"]) == (
        f"yaml_{told[0]}",
        told[1],
    )
    for found in (repr(issue), caplog.text):
        assert SENTINEL not in found
        assert "sentinel_3f9c" not in found


@pytest.mark.parametrize("fails", ["raise RuntimeError", "await asyncio.sleep(60)"])
async def test_variables_that_nobody_can_tell(
    hass: HomeAssistant,
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
) -> None:
    """Where the platform cannot tell its variables, the item is taken as it is."""
    monkeypatch.setattr(yaml_reader, "TIMEOUT", 0.01)
    install("acme", f"import asyncio\nasync def async_get_authorization_server(hass): {fails}")
    item = "{domain: acme, client_id: id, variables: {tenant: home}}"
    await start(hass, tmp_path, f"{DOMAIN}:\n  - {item}\n")
    assert stored(hass)[0]["variables"] == {"tenant": "home"}


async def test_numbers(hass: HomeAssistant, install: Install, tmp_path: Path) -> None:
    """A whole number is the text of its digits; a name is whatever it looks like."""
    install("acme", PLATFORM)
    await start(
        hass,
        tmp_path,
        """
developer_credentials:
  - {domain: acme, client_id: 12345, client_secret: 67890, name: 2024}
  - {domain: acme, client_id: 0, name: 1.5}
  - {domain: acme, client_id: b, client_secret: 1e5, name: 2024-01-02}
""",
    )
    assert values(hass, "client_id", "client_secret", "name") == [
        ("12345", "67890", "2024"),
        ("0", "", "1.5"),
        ("b", "1e5", "2024-01-02"),
    ]
    assert ir.async_get(hass).issues == {}


NOT_AS_WRITTEN = {
    "client_id: 007": "client_id",
    "client_id: 0x1F": "client_id",
    "client_id: 1_000": "client_id",
    "client_id: 12:30": "client_id",
    "client_id: +5": "client_id",
    "client_id: !secret octal": "client_id",
    "client_id: !include number.txt": "client_id",
    "client_id: id, client_secret: 007": "client_secret",
    "client_id: id, variables: {tenant: 007}": "tenant",
}


@pytest.mark.parametrize(("text", "key"), NOT_AS_WRITTEN.items(), ids=list(NOT_AS_WRITTEN))
async def test_numbers_that_are_written_otherwise(
    hass: HomeAssistant, install: Install, tmp_path: Path, text: str, key: str
) -> None:
    """A number that YAML has made another text of is refused, and is to be put in quotes."""
    install("acme", TENANTS if "variables" in text else PLATFORM)
    hass.config.config_dir = str(tmp_path)
    (tmp_path / "number.txt").write_text("12")
    items = f"{DOMAIN}:\n  - {{domain: acme, {text}}}\n"
    await start(hass, tmp_path, items, "octal: 0123\n")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "yaml_not_text"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["key"] == key


@pytest.mark.parametrize("secrets", ["number: 12345\n", 'number: "12345"\n'])
async def test_numbers_in_secrets(
    hass: HomeAssistant, install: Install, tmp_path: Path, secrets: str
) -> None:
    """A secret may be a number as well, in the secrets of any folder of the configuration."""
    install("acme", PLATFORM)
    (tmp_path / "config" / "sub").mkdir(parents=True)
    hass.config.config_dir = str(tmp_path / "config")
    (tmp_path / "config" / "sub" / "list.yaml").write_text(
        "- domain: acme\n  client_id: 12\n  client_secret: !secret number\n"
    )
    items = f"{DOMAIN}: !include sub/list.yaml\n"
    await start(hass, tmp_path / "config", items, secrets)
    assert values(hass, "client_id", "client_secret") == [("12", "12345")]


async def test_number_in_a_secret_of_another_folder(
    hass: HomeAssistant, install: Install, tmp_path: Path
) -> None:
    """Outside of the configuration there are no secrets: their numbers are not known."""
    install("acme", PLATFORM)
    hass.config.config_dir = str(tmp_path / "config")
    (tmp_path / "secrets.yaml").write_text("number: 12")
    (tmp_path / "list.yaml").write_text("client_id: !secret number")
    item = NodeDictClass({"domain": "acme", "client_id": 12})
    item.__config_file__, item.__line__ = str(tmp_path / "list.yaml"), 1
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item]})
    await hass.async_block_till_done()
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "yaml_not_text"


async def test_numbers_in_a_file_that_is_gone(
    hass: HomeAssistant, install: Install, tmp_path: Path
) -> None:
    """A file that cannot be read any more tells nothing of its numbers."""
    install("acme", PLATFORM)
    item = NodeDictClass({"domain": "acme", "client_id": 12})
    item.__config_file__ = str(tmp_path / "gone.yaml")
    item.__line__ = 3
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item, {**item, "client_id": 13}]})
    await hass.async_block_till_done()
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "yaml_not_text"
    # Of what did not come from a file, there is nothing else to go by.
    assert values(hass, "client_id") == [("13",)]


@pytest.mark.parametrize(("item", "reason", "key"), BAD_ITEMS.values(), ids=list(BAD_ITEMS))
async def test_bad_item(
    hass: HomeAssistant,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    item: str,
    reason: str,
    key: str,
) -> None:
    """A bad item is named with its place, in the log and in a repair; the others are imported."""
    await start(
        hass,
        tmp_path,
        f"""
developer_credentials:
  - domain: demo_cloud
    client_id: good
    client_secret: {SENTINEL}
  - {item}
  - domain: demo_cloud
    client_id: also good
""",
    )
    assert values(hass, "client_id") == [("good",), ("also good",)]
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == f"yaml_{reason}"
    placeholders = issue.translation_placeholders
    assert placeholders is not None
    assert placeholders["key"] == key
    place = placeholders["place"]
    assert place.endswith("configuration.yaml, line 6") or place == "developer_credentials, item 2"
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert f"({placeholders['place']}): {reason.replace('_', ' ')}" in record.getMessage()
    assert key in record.getMessage()


# By what a secret may become part of, where it should be a value: the reason and what is told.
MISPLACED = {
    "{domain: demo_cloud, client_id: id, client_secret:S}": ("malformed_key", "client_secret"),
    "{domain: demo_cloud, client_id: id, client_secret=S}": ("malformed_key", "client_secret"),
    "{domain: demo_cloud, client_id: id, client_secret S}": ("malformed_key", "client_secret"),
    "{domain: demo_cloud, client_id: id, client_secret;S}": ("malformed_key", "client_secret"),
    "{domain: demo_cloud, client_id: id, Client_SecretS: x}": ("malformed_key", "client_secret"),
    "{domain: demo_cloud, client_idS: id}": ("malformed_key", "client_id"),
    "{domain: demo_cloud, client_id: id, S}": ("unknown_key", ""),
    "{domain: demo_cloud, client_id: id, S: x}": ("unknown_key", ""),
    "{domain: demo_cloud, client_id: id, 'secret: S': }": ("unknown_key", ""),
    "{domain: demo_cloud, client_id: id, client_secret: {S: x}}": ("not_text", "client_secret"),
    "{domain: demo_cloud, client_id: id, client_secret: [S]}": ("not_text", "client_secret"),
    "{domain: S, client_id: id}": ("unknown_integration", ""),
    "{domain: sentinel_3f9c, client_id: id}": ("unknown_integration", ""),
    "{S: {S: S}}": ("unknown_key", ""),
    """{domain: demo_cloud, client_id: '{"web": {"client_secret": "S"}}'}""": (
        "not_a_value",
        "client_id",
    ),
    """{domain: demo_cloud, client_id: id, client_secret: '{"client_secret": "S"}'}""": (
        "not_a_value",
        "client_secret",
    ),
    "{domain: demo_cloud, client_id: id, name: 'client_secret: S'}": ("not_a_value", "name"),
    "S": ("not_a_mapping", ""),
    "[S, S]": ("not_a_mapping", ""),
    "client_secret=S": ("not_a_mapping", ""),
}


@pytest.mark.parametrize(("item", "told"), MISPLACED.items(), ids=list(MISPLACED))
async def test_misplaced_secret(
    hass: HomeAssistant,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    item: str,
    told: tuple[str, str],
) -> None:
    """Wherever a secret stands in an item, neither the log nor a repair has it."""
    await start(hass, tmp_path, f"{DOMAIN}:\n  - {re.sub(r'\bS|S\b', SENTINEL, item)}\n")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert (issue.translation_key, issue.translation_placeholders["key"]) == (
        f"yaml_{told[0]}",
        told[1],
    )
    for text in (repr(issue), caplog.text):
        assert SENTINEL not in text
        assert "sentinel_3f9c" not in text


async def test_place_of_a_mapping(hass: HomeAssistant, tmp_path: Path) -> None:
    """The place of a mapping has its line."""
    await start(hass, tmp_path, "developer_credentials:\n  - domain: demo_cloud\n")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["place"].endswith("configuration.yaml, line 2")


async def test_place_in_a_file_of_any_name(hass: HomeAssistant) -> None:
    """The name of a file that is no UTF-8 is told as far as it can be written."""
    item = NodeDictClass({"domain": "demo_cloud"})
    item.__config_file__ = "/config/odd\udcff\u202e\nname.yaml"
    item.__line__ = 3
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item]})
    await hass.async_block_till_done()
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["place"] == "/config/odd name.yaml, line 3"


@pytest.mark.parametrize("yaml", ["text", "{domain: demo_cloud}", "3"])
async def test_not_a_list(hass: HomeAssistant, tmp_path: Path, yaml: str) -> None:
    """Whatever stands in place of the list, the integration is set up."""
    await start(hass, tmp_path, f"developer_credentials: {yaml}\n")
    assert len(ir.async_get(hass).issues) == 1


async def test_packages(hass: HomeAssistant) -> None:
    """The lists of several packages are one list."""
    config: dict[str, object] = {
        "homeassistant": {},
        DOMAIN: [{"domain": "demo_cloud", "client_id": "a"}],
    }
    package = {DOMAIN: [{"domain": "demo_cloud", "client_id": "b"}]}
    await conf_util.merge_packages_config(hass, config, {"pack": package})
    assert await async_setup_component(hass, DOMAIN, config)
    await hass.async_block_till_done()
    assert values(hass, "client_id") == [("a",), ("b",)]


async def test_scalars(hass: HomeAssistant, tmp_path: Path) -> None:
    """Each item that has no line of its own is told by its number."""
    await start(hass, tmp_path, "developer_credentials: [3, 4, null]\n")
    places = [
        issue.translation_placeholders["place"]
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_placeholders
    ]
    assert places == [f"developer_credentials, item {number}" for number in (1, 2, 3)]
