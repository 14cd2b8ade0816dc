"""The documentation: what it links to is there, what it shows runs, what it quotes is said."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import runpy
import subprocess
import textwrap
import tomllib
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.developer_credentials.const import DOMAIN

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "custom_components" / DOMAIN
TEXTS: Final[dict[str, Any]] = json.loads((PACKAGE / "translations" / "en.json").read_text())
PAGES: Final = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
]
GUIDE: Final = (ROOT / "docs" / "user.md").read_text()
TROUBLESHOOTING: Final = (ROOT / "docs" / "troubleshooting.md").read_text()
# Its name has no suffix by which Python would find it.
quotation = runpy.run_path(str(ROOT / "script" / "translations"))["quotation"]

# What the labels in bold are that are not ours: Home Assistant's own, HACS's, and a provider's.
LABELS: Final = {
    "Add integration",
    "Audience",
    "Check configuration",
    "Configure",
    "Custom repositories",
    "Delete",
    "Tools",
    "Devices & services",
    "Disable",
    "Discovered",
    "Download",
    "Download diagnostics",
    "Integration",
    "Logs",
    "OAuth consent screen",
    "Publish app",
    "Reconfigure",
    "Remove",
    "Repairs",
    "Settings",
    "Submit",
    "System",
    "System information",
    "YAML",
}
# What is bold for another reason: the words of a page that are explained, and the points of a list.
STRESSED: Final = {"client ID", "client secret", "Developer Credentials"}
SYMPTOMS: Final = (
    "Cannot delete credential in use by integration",
    "redirect_uri_mismatch",
    "unauthorized_client",
    "Invalid state. Is My Home Assistant configured to go to the right instance?",
    "404: Not Found",
    "/redirect/oauth",
    "OAuth authorization error while obtaining access token.",
    "invalid_client",
    "invalid_grant",
    "Error 401: deleted_client",
    "device_id and device_name are required for private IP",
    "Implementation not available",
    "Missing state parameter",
)


def _prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+?) *$", _prose(page), re.MULTILINE):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in anchors:
            number += 1
        anchors.add(anchor)
    return anchors


def _links(page: Path) -> Iterator[str]:
    """Yield what a page links to within the project, and its pictures."""
    address = json.loads((PACKAGE / "manifest.json").read_text())["documentation"]
    for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if link.startswith(f"{address}/blob/main/"):
            yield "/" + link.removeprefix(f"{address}/blob/main/")
        elif not re.match(r"https?:|mailto:", link):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """Each link within the project leads to what is there, and to a heading in it.

    HACS shows the README, and can follow no link of it to a folder.
    """
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (ROOT / path[1:] if path.startswith("/") else page.parent / path) if path else page
        assert target.is_file() if page.name == "README.md" else target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_anchors() -> None:
    """Anchors are those of GitHub, which other pages and people link to."""
    anchors = _anchors(ROOT / "docs" / "user.md")
    assert {"the-redirect-uri", "the-action-developer_credentialsreload"} <= anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets(page: Path) -> None:
    """What a page shows is of a language that is checked, and valid."""
    text = page.read_text()
    for language, snippet in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        match language:
            case "python":
                ast.parse(textwrap.dedent(snippet))
            case "yaml":
                parse_yaml(snippet.replace("!secret ", ""))
            case "json":
                json.loads(snippet)
            case "toml":
                tomllib.loads(snippet)
            case "sh":
                # Each is a script of the project, and what it is given.
                for command in snippet.splitlines():
                    assert (ROOT / command.split()[0]).is_file()
            case "mermaid" | "text":
                # A picture; or a line for a file that has no language.
                pass
            case _:
                # The map of the project, whose files test_architecture.py compares.
                assert (language, page.name) == ("", "architecture.md")


async def test_automation(hass: HomeAssistant) -> None:
    """The automation of the user guide reads the YAML list again."""
    (snippet,) = re.findall(r"```yaml\n(triggers:.*?)```", GUIDE, re.DOTALL)
    calls = async_mock_service(hass, DOMAIN, "reload")
    config = parse_yaml(snippet)
    assert isinstance(config, dict)
    automation = {"automation": {"alias": "Reload", **config}}
    assert await async_setup_component(hass, "automation", automation)
    data = {"entity_id": "automation.reload"}
    await hass.services.async_call("automation", "trigger", data, blocking=True)
    assert len(calls) == 1
    await hass.services.async_call("automation", "turn_off", data, blocking=True)


def _leaves(tree: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


def _told() -> Iterator[tuple[str, list[str]]]:
    """Yield what dialogs, repairs and entries say, by key; one text of several is enough."""
    subentry = TEXTS["config_subentries"]["credential"]
    groups = {
        "config.abort": TEXTS["config"]["abort"],
        "config.error": TEXTS["config"]["error"],
        "config_subentries.credential.abort": subentry["abort"],
        "config_subentries.credential.create_entry": subentry["create_entry"],
        "config_subentries.credential.error": subentry["error"],
        "exceptions": TEXTS["exceptions"],
        "options.error": TEXTS["options"]["error"],
        "selector.situation": TEXTS["selector"]["situation"],
    }
    for name, issue in TEXTS["issues"].items():
        fix_flow = issue.get("fix_flow", {})
        groups[f"issues.{name}.abort"] = fix_flow.get("abort", {})
        groups[f"issues.{name}.error"] = fix_flow.get("error", {})
        texts = {key: issue[key] for key in ("title", "description") if key in issue}
        # Where several have one title, the description tells them apart.
        titles = [other["title"] for other in TEXTS["issues"].values()]
        if name.startswith("yaml_") or titles.count(issue["title"]) == 1:
            wanted = "description" if name.startswith("yaml_") else "title"
            texts = {wanted: texts[wanted]}
        quotes = [quotation(f"issues.{name}.{key}", text) for key, text in texts.items()]
        yield f"issues.{name}", quotes
    for group, tree in groups.items():
        for key, text in _leaves(tree, group):
            # A text may be another one as a whole.
            if (quote := quotation(key, text)) != "…":
                yield key, [quote]


@pytest.mark.parametrize(("key", "quotes"), _told())
def test_troubleshooting(key: str, quotes: list[str]) -> None:
    """Each text that people may see is on the page, where its cause and its remedy stand."""
    rows = re.findall(r"^\| (.*?) <!-- [\w.]+ --> \| .+ \|$", TROUBLESHOOTING, re.MULTILINE)
    if not set(quotes) & set(rows):
        pytest.fail(f"docs/troubleshooting.md does not tell of {key}: {quotes[0]}")


def test_troubleshooting_once() -> None:
    """No text stands twice on the page."""
    rows = re.findall(r"^\| (.*?) <!-- [\w.]+ -->", TROUBLESHOOTING, re.MULTILINE)
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_symptoms(symptom: str) -> None:
    """What people search for is on the page."""
    assert symptom in TROUBLESHOOTING


@pytest.mark.parametrize("name", ["README.md", "docs/user.md", "docs/troubleshooting.md"])
def test_labels(name: str) -> None:
    """What is bold is a label of the user interface: one of our texts, or of Home Assistant's."""
    ours = {text for _, text in _leaves(TEXTS, "")} | {"Developer Credentials"}
    text = re.sub(r"^\| .* <!-- .*? -->", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    # The point of an item of a list is bold as well.
    text = re.sub(r"^- \*\*.+?\.\*\*", "", text, flags=re.MULTILINE)
    for label in re.findall(r"\*\*(.+?)\*\*", text):
        assert label in ours | LABELS | STRESSED, label


def test_options() -> None:
    """The user guide has each option and each field of the form."""
    init = TEXTS["options"]["step"]["init"]["data"]
    form = TEXTS["config"]["step"]["credential"]
    fields = form["data"] | form["sections"]["more"]["data"]
    for label in (*init.values(), *fields.values()):
        assert label.startswith("{") or f"**{label}**" in GUIDE
