"""Tests of what integrations may rely upon when they test with us."""

import ast
from pathlib import Path
import subprocess
import sys
from typing import Final

import pytest

from custom_components import developer_credentials
from custom_components.developer_credentials import testing
from tests.signatures import listed, public_signatures

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = [
    *sorted((ROOT / "tests" / "demo_cloud").glob("*.py")),
    *sorted((ROOT / "tests" / "first_integration").glob("*.py")),
    *sorted((ROOT / "docs" / "examples").rglob("*.py")),
    *sorted((ROOT / "demo" / "custom_components" / "demo_cloud").rglob("*.py")),
]

# A change of them is a line in the changelog.
SIGNATURES: Final = """
CREDENTIAL: Final
class MockAuthorizationServer()
MockAuthorizationServer: def __init__(self, hass: HomeAssistant) -> None
MockAuthorizationServer: clients: dict[str, str]
MockAuthorizationServer: claims: dict[str, object]
MockAuthorizationServer: away: bool
MockAuthorizationServer: token_fields: dict[str, object]
MockAuthorizationServer: metadata: dict[str, object]
MockAuthorizationServer: authorization_requests: list[dict[str, str]]
MockAuthorizationServer: token_requests: list[dict[str, str]]
MockAuthorizationServer: revoked_tokens: list[str]
MockAuthorizationServer: def refuse_grants(self) -> None
async def async_add_credential(hass: HomeAssistant, domain: str, credential:
    DeveloperCredential=CREDENTIAL) -> str
def async_expire_token(hass: HomeAssistant, entry: ConfigEntry) -> None
async def async_log_in(hass: HomeAssistant, domain: str, answers: Mapping[str, Any]=_NO_ANSWERS,
    *, context: ConfigFlowContext | None=None, data: object=None) -> ConfigFlowResult
async def async_log_in_again(hass: HomeAssistant, entry: ConfigEntry, answers: Mapping[str,
    Any]=_NO_ANSWERS) -> ConfigFlowResult
async def async_reconfigure(hass: HomeAssistant, entry: ConfigEntry, answers: Mapping[str,
    Any]=_NO_ANSWERS) -> ConfigFlowResult
async def async_repair(hass: HomeAssistant, domain: str, answers: Mapping[str, Any]=_NO_ANSWERS)
    -> FlowResult[Any, str]
"""


def test_signatures() -> None:
    """These are the public names, with their signatures."""
    assert public_signatures(testing) == listed(SIGNATURES)


@pytest.mark.parametrize("name", testing.__all__)
def test_documentation(name: str) -> None:
    """Each public name has a docstring, and stands in the changelog and in the guide."""
    assert getattr(testing, name).__doc__
    for page in ("CHANGELOG.md", "docs/developer.md"):
        assert f"`{name}" in (ROOT / page).read_text()


def test_imports_without_pytest() -> None:
    """The module needs neither pytest nor its plugin for Home Assistant."""
    blocked = ("pytest", "pytest_homeassistant_custom_component")
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked})); import {testing.__name__}"
    command = [sys.executable, "-W", "ignore", "-c", code]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - the code is our own


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_examples_use_public_names(file: Path) -> None:
    """Demo Cloud, the recipes and their tests have nothing else of ours."""
    public = {
        developer_credentials.__name__: developer_credentials.__all__,
        testing.__name__: testing.__all__,
    }
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
            assert not names & {"custom_components", "tests", "demo"}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.startswith("custom_components"):
                assert {alias.name for alias in node.names} <= set(public[node.module])
            assert node.module.partition(".")[0] not in {"tests", "demo"}
