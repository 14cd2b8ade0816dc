"""Every message has a translation, and the placeholders of both agree."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

import pytest

PACKAGE = Path(__file__).parent.parent / "custom_components" / "developer_credentials"
SOURCE = {path.stem: path.read_text() for path in PACKAGE.glob("*.py")}
TRANSLATIONS: dict[str, Any] = json.loads((PACKAGE / "translations" / "en.json").read_text())
CONFIG = TRANSLATIONS["config"]
SUBENTRY = TRANSLATIONS["config_subentries"]["credential"]

# What is interpolated, by the key of the text; a text that is not named here has nothing.
PLACEHOLDERS = {
    "abort.credential_added": {"title"},
    "abort.no_integrations": {"url"},
    "step.credential.title": {"integration"},
    "platform_": {"integration", "detail"},
    "yaml_": {"place", "key"},
}


def _leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


@pytest.mark.parametrize(("key", "text"), _leaves(TRANSLATIONS))
def test_placeholders(key: str, text: str) -> None:
    """A text uses no placeholder but those that the code gives."""
    used = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    given = {name for part, names in PLACEHOLDERS.items() if part in key for name in names}
    assert used <= given


def test_flows_speak_alike() -> None:
    """Both flows that add a credential have the same texts."""
    for section in ("step", "error"):
        assert SUBENTRY[section] == CONFIG[section]
    assert SUBENTRY["abort"].items() <= CONFIG["abort"].items()


def test_flow_texts() -> None:
    """Each step, field, error and abort of the flows has a text, and each text has its use."""
    flow = SOURCE["config_flow"]
    assert set(re.findall(r"def async_step_(\w+)", flow)) - {"import"} == set(CONFIG["step"])
    fields = {"user": {"domain"}, "credential": {"name", "client_id", "client_secret"}}
    for step, names in fields.items():
        assert set(CONFIG["step"][step]["data"]) == names
        assert set(CONFIG["step"][step]["data_description"]) == names
    assert set(re.findall(r'errors\[\w+\] = "(\w+)"', flow)) == set(CONFIG["error"])
    # Home Assistant aborts by itself where the unique id of a subentry is taken.
    assert set(re.findall(r'reason="(\w+)"', flow)) | {"already_configured"} == set(CONFIG["abort"])


def test_issue_texts() -> None:
    """Each repair has a text, and each text has its use."""
    reasons = {
        f"platform_{reason}"
        for reason in re.findall(r'PlatformError\(\s*"(\w+)"', "".join(SOURCE.values()))
    } | {
        f"yaml_{reason}"
        for reason in re.findall(r'YamlProblem\([\w.]+, "(\w+)"', SOURCE["yaml_import"])
    }
    assert reasons == set(TRANSLATIONS["issues"])
    for texts in TRANSLATIONS["issues"].values():
        assert set(texts) == {"title", "description"}
