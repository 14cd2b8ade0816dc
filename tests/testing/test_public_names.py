"""Tests of what integrations may rely upon when they test with us."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import subprocess
import sys

import pytest

from custom_components import developer_credentials
from custom_components.developer_credentials import testing

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(testing.__file__).parent
DEMO_CLOUD = sorted((ROOT / "tests" / "demo_cloud").glob("*.py"))

# A change of them is a line in the changelog.
SIGNATURES = """
CREDENTIAL: Final
MockAuthorizationServer.__init__(self, hass: HomeAssistant) -> None
MockAuthorizationServer.authorization_requests: list[dict[str, str]]
MockAuthorizationServer.away: bool
MockAuthorizationServer.claims: dict[str, object]
MockAuthorizationServer.clients: dict[str, str]
MockAuthorizationServer.metadata: dict[str, object]
MockAuthorizationServer.refuse_grants(self) -> None
MockAuthorizationServer.revoked_tokens: list[str]
MockAuthorizationServer.token_fields: dict[str, object]
MockAuthorizationServer.token_requests: list[dict[str, str]]
async_add_credential(hass: HomeAssistant, domain: str,
    credential: DeveloperCredential=CREDENTIAL) -> str
async_expire_token(hass: HomeAssistant, entry: ConfigEntry) -> None
async_log_in(hass: HomeAssistant, domain: str, answers: Mapping[str, Any]=_NO_ANSWERS, *,
    context: ConfigFlowContext | None=None, data: object=None) -> ConfigFlowResult
async_log_in_again(hass: HomeAssistant, entry: ConfigEntry,
    answers: Mapping[str, Any]=_NO_ANSWERS) -> ConfigFlowResult
async_repair(hass: HomeAssistant, domain: str,
    answers: Mapping[str, Any]=_NO_ANSWERS) -> FlowResult[Any, str]
"""


def _signatures(node: ast.AST, of: str = "") -> Iterator[str]:
    """Yield what a module, a class or its `__init__` defines, as it is written."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _signatures(child, f"{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            returned = ast.unparse(child.returns) if child.returns else ""
            yield f"{of}{child.name}({ast.unparse(child.args)}) -> {returned}"
            if child.name == "__init__":
                yield from _signatures(child, of)
        elif isinstance(child, ast.AnnAssign):
            target = ast.unparse(child.target).removeprefix("self.")
            yield f"{of}{target}: {ast.unparse(child.annotation)}"


def test_signatures() -> None:
    """These are the public names, with their signatures."""
    public = tuple(testing.__all__)
    is_private = re.compile(r"\w+\.(_(?!_init__)|__a)").match
    found = {
        signature
        for file in PACKAGE.glob("*.py")
        for signature in _signatures(ast.parse(file.read_text()))
        if signature.startswith(public) and not is_private(signature)
    }
    assert found == set(SIGNATURES.replace("\n    ", " ").strip().splitlines())


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


@pytest.mark.parametrize("file", DEMO_CLOUD, ids=lambda file: file.stem)
def test_demo_cloud_uses_public_names(file: Path) -> None:
    """The tests of Demo Cloud have nothing else of ours."""
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
