"""The quality scale: what can be checked of each rule that is said to be met, or exempt."""

import ast
import json
from pathlib import Path
import re
import tomllib
from typing import Any, Final

import homeassistant.components
from homeassistant.const import Platform
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.developer_credentials import config_flow, diagnostics
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.oauth2 import errors
from custom_components.developer_credentials.websocket_commands import CommandError

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "custom_components" / "developer_credentials"
RULES: Final = load_yaml_dict(str(PACKAGE / "quality_scale.yaml"))["rules"]
EXEMPT: Final = {name: rule["comment"] for name, rule in RULES.items() if isinstance(rule, dict)}
SOURCES: Final = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
MANIFEST: Final = json.loads((PACKAGE / "manifest.json").read_text())
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
TEXTS: Final[dict[str, Any]] = json.loads((PACKAGE / "translations" / "en.json").read_text())

# By rule about the documentation: where it is met.
SECTIONS: Final = {
    "docs-actions": "docs/user.md: The action `developer_credentials.reload`",
    "docs-configuration-parameters": "docs/user.md: Options",
    "docs-data-update": "docs/user.md: When providers are asked",
    "docs-examples": "docs/user.md: In YAML",
    "docs-high-level-description": "README.md: Developer Credentials for Home Assistant",
    "docs-installation-instructions": "README.md: Install it",
    "docs-installation-parameters": "docs/user.md: What the form asks for",
    "docs-known-limitations": "docs/user.md: Known limitations",
    "docs-removal-instructions": "docs/user.md: Remove it",
    "docs-supported-functions": "docs/user.md: Set it up",
    "docs-troubleshooting": "docs/troubleshooting.md: Troubleshooting",
    "docs-use-cases": "docs/user.md: When it is useful",
}


def test_rules() -> None:
    """Each rule that Home Assistant's integrations are judged by is there, and no other."""
    (components,) = homeassistant.components.__path__
    theirs = load_yaml_dict(str(Path(components) / "husqvarna_automower" / "quality_scale.yaml"))
    assert RULES.keys() == theirs["rules"].keys()


def test_documentation() -> None:
    """Each rule about the documentation has its section, with something in it."""
    done = {name for name in RULES if name.startswith("docs-") and name not in EXEMPT}
    assert done == SECTIONS.keys()
    for place in SECTIONS.values():
        page, _, heading = place.partition(": ")
        _, found, section = (ROOT / page).read_text().partition(f"# {heading}\n")
        assert found
        assert len(section.split("\n#")[0]) > 100


def test_exempt() -> None:
    """What is exempt for want of something has it nowhere."""
    names = {path.stem for path in PACKAGE.iterdir()}
    source = "".join(SOURCES.values())
    absent = {
        "There are no entities.": not names & set(Platform) and "helpers.entity" not in source,
        "There are no devices.": "device_registry" not in source,
        "There are no conditions.": "condition" not in names,
        "There are no triggers.": "trigger" not in names,
        "There is no dependency.": not MANIFEST.get("requirements"),
        "There is nothing to discover in the network.": not MANIFEST.keys()
        & {"bluetooth", "dhcp", "homekit", "mqtt", "ssdp", "usb", "zeroconf"},
    }
    for comment, is_absent in absent.items():
        assert comment in EXEMPT.values()
        assert is_absent, comment
    assert "DataUpdateCoordinator" not in source
    assert ".runtime_data" not in source
    # The entry itself: nothing to log in to, nothing to reconfigure, nothing to connect to.
    assert not re.search(
        "AuthFailed|NotReady|async_first_refresh", SOURCES[PACKAGE / "__init__.py"]
    )
    flow = config_flow.DeveloperCredentialsConfigFlow
    assert not {"async_step_reauth", "async_step_reconfigure"} & vars(flow).keys()


def test_entry() -> None:
    """The action is there before the entry, which is unloaded, diagnosed, and the only one."""
    tree = ast.parse(SOURCES[PACKAGE / "__init__.py"])
    functions = {getattr(node, "name", ""): ast.unparse(node) for node in tree.body}
    assert "async_register_admin_service" in functions["async_setup"]
    assert {"async_setup_entry", "async_unload_entry"} <= functions.keys()
    assert hasattr(diagnostics, "async_get_config_entry_diagnostics")


def test_owner() -> None:
    """Somebody looks after it."""
    assert MANIFEST["codeowners"]
    assert MANIFEST["config_flow"]


def test_fields_are_described() -> None:
    """Each field of a form says what to enter."""

    def check(tree: dict[str, Any]) -> None:
        if "title" in tree and "data" in tree:
            assert tree["data"].keys() - {"more"} == tree["data_description"].keys()
        for inner in tree.values():
            if isinstance(inner, dict):
                check(inner)

    check(TEXTS)


def test_exceptions_are_translated() -> None:
    """What is raised for Home Assistant, which shows it, has a translation.

    That of `ImplementationUnavailableError` is Home Assistant's.
    """
    calls = [
        ast.unparse(node)
        for source in SOURCES.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and re.fullmatch(r"(ServiceValidation|HomeAssistant|ConfigEntry\w*)Error", _name(node))
    ]
    assert len(calls) >= 2
    for call in calls:
        assert "translation_domain=DOMAIN, translation_key=" in call
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.TokenRequestError):
            assert issubclass(kind, HomeAssistantError)
            assert f"token_{kind.reason}" in TEXTS["exceptions"]
    error = CommandError("code", "key")
    assert (error.translation_domain, error.translation_key) == (DOMAIN, "key")


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_actions_have_icons() -> None:
    """Each action has an icon and a translation."""
    actions = load_yaml_dict(str(PACKAGE / "services.yaml")).keys()
    assert json.loads((PACKAGE / "icons.json").read_text())["services"].keys() == actions
    assert TEXTS["services"].keys() == actions


def test_typed_and_covered() -> None:
    """Types are checked strictly, and every line and branch is covered, where CI runs."""
    assert PROJECT["tool"]["mypy"]["strict"] is True
    assert (PACKAGE / "py.typed").exists()
    assert 'mypy" custom_components' in (ROOT / "script" / "lint").read_text()
    coverage = PROJECT["tool"]["coverage"]
    assert coverage["report"]["fail_under"] == 100
    assert coverage["run"]["branch"] is True
    assert "omit" not in coverage["run"]
    assert "--cov" in (ROOT / "script" / "test").read_text()


@pytest.mark.parametrize("comment", sorted(set(EXEMPT.values())))
def test_comments(comment: str) -> None:
    """A reason is a sentence."""
    assert re.fullmatch(r"[A-Z][^\n]+\.", comment)
