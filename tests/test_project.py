"""One fact in one place: what several files say is the same."""

import ast
from collections.abc import Mapping
import dataclasses
import json
from pathlib import Path
import re
import subprocess
import tomllib

from homeassistant.const import CONF_CLIENT_ID, CONF_DOMAIN, CONF_NAME
from homeassistant.helpers.collection import CHANGE_ADDED, CHANGE_REMOVED, CHANGE_UPDATED

import custom_components.developer_credentials as package
from custom_components.developer_credentials import websocket_api
from custom_components.developer_credentials.const import DEVELOPER_GUIDE_URL
from custom_components.developer_credentials.credentials.store import (
    CONF_AUTH_DOMAIN,
    CONF_AUTH_METHOD,
    CONF_REDIRECT_URI,
    CONF_VARIABLES,
)
from custom_components.developer_credentials.oauth2.verification import Outcome

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "custom_components" / "developer_credentials"
README = (ROOT / "README.md").read_text()


def _tracked() -> list[Path]:
    """Return the text files of the project."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = (ROOT / name for name in listing.stdout.splitlines())
    return [file for file in files if file.suffix not in {".png", ".json"} and file.is_file()]


def _versions() -> list[list[str]]:
    lines = (ROOT / "script" / "homeassistant_versions").read_text().splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def test_minimum_is_tested() -> None:
    """The oldest tested Home Assistant is the minimum that HACS enforces, and the README names."""
    hacs = json.loads((ROOT / "hacs.json").read_text())
    versions = [version for version, *_ in _versions()]
    assert versions[0] == hacs["homeassistant"]
    year, month, _ = versions[0].split(".")
    assert f"Home Assistant {year}.{month} or newer" in README
    assert versions == sorted(versions, key=lambda version: [int(n) for n in version.split(".")])
    assert sum(row[2:] == ["default"] for row in _versions()) == 1


def test_versions_stand_in_one_place() -> None:
    """No other file names a version of Home Assistant that is tested, nor the project's own."""
    project = json.loads((PACKAGE / "manifest.json").read_text())["version"]
    for file in _tracked():
        if file.name in {"homeassistant_versions", "CHANGELOG.md", "benchmarks.md"}:
            # What was measured, and with which version, stays as it was.
            continue
        text = file.read_text()
        for version, *_ in _versions():
            assert version not in text, file
        if file.parent == PACKAGE or file.name == "pyproject.toml":
            assert f'"{project}"' not in text, file


def test_nothing_is_required() -> None:
    """The integration requires only what Home Assistant ships."""
    manifest = json.loads((PACKAGE / "manifest.json").read_text())
    assert manifest.get("requirements", []) == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["homeassistant", "aiohttp", "voluptuous"]


def test_public_api() -> None:
    """The public names are there, have a docstring, and stand in the changelog."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    for name in set(package.__all__) - {"CONFIG_SCHEMA"}:
        assert getattr(package, name).__doc__
        assert f"`{name}`" in changelog


def test_modules_are_small() -> None:
    """A module of the integration holds one idea."""
    for module in PACKAGE.rglob("*.py"):
        assert len(module.read_text().splitlines()) <= 400, module


def test_architecture_names_every_module() -> None:
    """The map of the house shows each room."""
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    for module in PACKAGE.rglob("*.py"):
        if module.name != "__init__.py" or module.parent == PACKAGE:
            assert f"  {module.name} " in architecture


def test_ci_runs_the_readme() -> None:
    """CI calls the commands that the README names."""
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert commands == ["script/run", "script/test"]
    ci = (ROOT / ".ci" / "run").read_text()
    for command in commands:
        assert command in ci


def test_types_are_checked_twice() -> None:
    """What integrations are written like is checked strictly by both checkers, which CI runs."""
    lint = (ROOT / "script" / "lint").read_text()
    assert "script/lint" in (ROOT / ".ci" / "run").read_text()
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert tools["mypy"]["strict"]
    checked = set(re.findall(r"/mypy\" (.*)", lint)[0].split())
    assert checked == {"custom_components", "demo", "docs/examples", "tests"}
    assert re.findall(r"/pyright\" (.*)", lint) == [
        '--project pyproject.toml --pythonpath "$venv/bin/python"'
    ]
    pyright = tools["pyright"]
    assert set(pyright["include"]) == {"custom_components", *pyright["strict"]}
    assert pyright["strict"] == ["demo/custom_components", "docs/examples"]
    # Nothing there is excused but what Home Assistant's own annotations lack.
    excused = [
        line
        for folder in pyright["strict"]
        for file in (ROOT / folder).rglob("*.py")
        for line in file.read_text().splitlines()
        if "# pyright:" in line or "type: ignore" in line
    ]
    assert {re.findall(r"report\w+", line)[0] for line in excused} == {
        "reportUnknownVariableType",
        "reportIncompatibleVariableOverride",
    }


def test_promises_have_tests() -> None:
    """Each promise of the page on security names the test that proves it."""
    promises = re.findall(
        r"^\| .* \| `(tests/\S+?)(?:::(\w+))?` \|$", _page("security"), re.MULTILINE
    )
    assert len(promises) > 10
    for file, name in promises:
        assert not name or re.search(rf"(class|def) {name}\b", (ROOT / file).read_text()), name
        assert (ROOT / file).exists()


def _page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def test_developer_guide_is_where_it_is_linked() -> None:
    """The page that a flow sends a developer to is there."""
    assert (ROOT / DEVELOPER_GUIDE_URL.split("/main/")[1]).exists()


def test_developer_guide_snippets() -> None:
    """What the developer guide shows is taken from Demo Cloud, or from files that tests run."""
    folders = (
        ROOT / "demo/custom_components",
        ROOT / "docs/examples",
        ROOT / "tests/demo_cloud",
        ROOT / "tests/first_integration",
    )
    sources = "".join(
        file.read_text()
        for folder in folders
        for file in folder.rglob("*.*")
        if file.suffix in {".py", ".json"}
    )
    guide = (ROOT / "docs" / "developer.md").read_text()
    snippets = re.findall(r"```(?:python|json)\n(.*?)```", guide, re.DOTALL)
    assert snippets
    for snippet in snippets:
        assert snippet in sources
    for name in set(package.__all__) - {"CONFIG_SCHEMA"}:
        assert f"`{name}`" in guide.split("## The public names")[1]


def test_developer_guide_settings() -> None:
    """The settings that the developer guide shows are those by which its files are checked."""
    guide = (ROOT / "docs" / "developer.md").read_text()
    (snippet,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    shown = tomllib.loads(snippet)["tool"]
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert shown["pytest"]["ini_options"].items() <= ours["pytest"]["ini_options"].items()
    (override,) = shown["mypy"].pop("overrides")
    assert override in ours["mypy"]["overrides"]
    assert shown["mypy"].items() <= ours["mypy"].items()
    # Where an integration lies in its own repository.
    assert (shown["pyright"].pop("include"), shown["pyright"].pop("strict")) == (
        ["custom_components", "tests"],
        ["custom_components"],
    )
    assert shown["pyright"].items() <= ours["pyright"].items()


def test_developer_guide_menu() -> None:
    """The reference of the config flow has the steps of the menu of an account, all of them."""
    guide = (ROOT / "docs" / "developer.md").read_text().split("### The config flow")[1]
    steps = re.findall(r"^\| `(reconfigure_\w+)` \|", guide, re.MULTILINE)
    handler = package.DeveloperCredentialsFlowHandler
    texts = json.loads((PACKAGE / "strings.json").read_text())["config"]
    assert set(steps) == {
        name.removeprefix("async_step_")
        for name in dir(handler)
        if name.startswith("async_step_reconfigure_")
    }
    ends = guide.split("A login may end")[1].split("with `oauth_")[0]
    for reason in re.findall(r"`(\w+)`", ends):
        assert reason in texts["abort"]


def test_developer_guide_fields() -> None:
    """The reference of `AuthorizationServer` has its fields, with their types and defaults."""
    guide = (ROOT / "docs" / "developer.md").read_text()
    rows = re.findall(r"^\| `(\w+): (.*?)` \| (?:`(.*?)`)? ?\| (.+) \|$", guide, re.MULTILINE)
    assert [(name, kind.replace("\\|", "|"), default) for name, kind, default, _ in rows] == [
        (
            field.name,
            re.sub(r"\b(?:\w+\.)+|<class '(\w+)'>", r"\1", str(field.type)),
            _default(field),
        )
        for field in dataclasses.fields(package.AuthorizationServer)
    ]


def test_websocket_contract() -> None:
    """The developer guide has the contract of the WebSocket API that stands at the top of it."""
    guide = (ROOT / "docs" / "developer.md").read_text().split("## The WebSocket API")[1]
    contract = websocket_api.__doc__ or ""
    for paragraph in contract.split("\n\n")[1:]:
        text = paragraph if paragraph.startswith("|") else " ".join(paragraph.split())
        assert text.strip() in guide.replace("For tools and panels; only", "Only")
    rows = re.findall(r"^\| `developer_credentials/(\w+)` \|(.*?)\|", contract, re.MULTILINE)
    fields = {
        name: (
            tuple(re.findall(r"`(\w+)`", row.partition("[")[0])),
            set(re.findall(r"`(\w+)`", row.partition("[")[2])),
        )
        for name, row in rows
    }
    assert fields == {
        name: (required, set(optional))
        for name, (_, required, optional) in websocket_api.COMMANDS.items()
    } | {"subscribe": ((), set())}


def test_websocket_contract_of_answers() -> None:
    """The contract names the errors, the fields of a credential, and the changes that there are."""
    contract = websocket_api.__doc__ or ""
    source = "".join(file.read_text() for file in PACKAGE.glob("websocket_*.py"))
    errors = set(re.findall(r'CommandError\("(\w+)"', source))
    assert (
        set(re.findall(r"`(\w+)`(?= \(|,)", contract.split("Errors:")[1])) - {"auth_domain"}
        == errors
    )
    fields = contract.split("A credential has ")[1].split("What is left")[0]
    item = {"id", "has_secret", "entries", CONF_DOMAIN, CONF_CLIENT_ID, CONF_NAME} | {
        CONF_AUTH_DOMAIN,
        CONF_REDIRECT_URI,
        CONF_AUTH_METHOD,
        CONF_VARIABLES,
    }
    assert set(re.findall(r"`(\w+)`", fields)) == item
    assert f"({', '.join(Outcome)})" in contract
    assert f"({CHANGE_ADDED}, {CHANGE_UPDATED}, {CHANGE_REMOVED})" in contract


def _default(field: dataclasses.Field[object]) -> str:
    """Return the default of a field as it is written; nothing where it has none."""
    if field.default_factory is not dataclasses.MISSING:
        return repr(field.default_factory())
    if isinstance(field.default, Mapping):
        return repr(dict(field.default))
    return "" if field.default is dataclasses.MISSING else repr(field.default).replace("'", '"')


def test_user_guide_yaml() -> None:
    """The YAML of the user guide is the one of the README, which a test imports."""
    pattern = r"```yaml\n(developer_credentials:.*?)```"
    guide = (ROOT / "docs" / "user.md").read_text()
    (snippet,) = re.findall(pattern, guide, re.DOTALL)
    assert re.findall(pattern, README, re.DOTALL) == [snippet]


def test_readme_platform() -> None:
    """The platform that the README shows is Demo Cloud's, but for the address."""
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    ast.parse(snippet)
    demo = (ROOT / "demo/custom_components/demo_cloud/developer_credentials.py").read_text()
    demo = demo.split('"""', 2)[2].replace("\nfrom .const import BASE_URL\n", "")
    demo = re.sub(r'    """.*?"""\n', "", demo)
    demo = demo.split("\n\nasync def async_get_description_placeholders")[0]
    assert demo.strip() == snippet.strip().replace("https://cloud.example", "{BASE_URL}").replace(
        '="{BASE_URL}', '=f"{BASE_URL}'
    )
