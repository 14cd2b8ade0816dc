"""script/validate finds what Home Assistant's and HACS's own validators would."""

from collections.abc import Callable
import json
from pathlib import Path
import runpy
import shutil
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "custom_components/developer_credentials"
EN = "translations/en.json"


# Its name has no suffix by which Python would find it.
validate: Callable[[Path], list[str]] = runpy.run_path(str(ROOT / "script" / "validate"))[
    "validate"
]


def test_project() -> None:
    """Nothing is wrong with the project."""
    assert validate(ROOT) == []


def _set(*path: str, to: object) -> Callable[[str], str]:
    """Return what changes the value at a place of a JSON file; None takes it away."""

    def change(text: str) -> str:
        content: dict[str, Any] = json.loads(text)
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = to
        if to is None:
            del inner[path[-1]]
        return json.dumps(content)

    return change


def _text(to: object) -> Callable[[str], str]:
    return _set("config", "abort", "credential_gone", to=to)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("manifest.json", _set("domain", to=None), "manifest.json: domain is missing"),
        ("manifest.json", _set("domain", to="other"), "not the name of the folder"),
        ("manifest.json", _set("zeroconf", to=[]), "unexpected key 'zeroconf'"),
        ("manifest.json", _set("aaa", to=1), "the keys stand in another order"),
        ("manifest.json", _set("version", to="1.0"), "version: not a valid version: '1.0'"),
        ("manifest.json", _set("codeowners", to=["me"]), "codeowners: not a valid owners"),
        ("manifest.json", _set("documentation", to="http://a"), "not a valid url"),
        (EN, _set("texts", to={}), "en.json: unexpected key 'texts'"),
        (EN, _text(1), "en.json: config: abort: credential_gone: not a text"),
        (EN, _text(" Text"), "white space around a text"),
        (EN, _text("a <b>c</b>"), "HTML in a text"),
        (EN, _text("an '{name}'"), "a placeholder in single quotes"),
        (EN, _text("see https://example.com"), "a URL, where a placeholder belongs"),
        (EN, _text("[%key:a%]"), "a reference that was not resolved"),
        (EN, _text("{a.b}"), "bad placeholder 'a.b'"),
        (EN, _text("{a"), "config: abort: credential_gone: "),
        (EN, _set("config", "abort", "Bad key", to="Text"), "unexpected key 'Bad key'"),
        (EN, _set("config", "step", to=None), "config: step is missing"),
        (EN, _set("issues", "own_yaml", "title", to=None), "own_yaml: title is missing"),
        (EN, _set("issues", "own_yaml", "fix_flow", to={"step": {}}), "either description or fix"),
        (EN, _set("issues", "own_yaml", "description", to=None), "either description or fix_flow"),
        (EN, _set("services", to={}), "services are not those of services.yaml"),
        (
            EN,
            _set("options", "step", "init", "data_description", "other", to="Text"),
            "options: step: init: data_description: other is not in data",
        ),
        ("icons.json", _set("services", "reload", "service", to="reload"), "not a valid icon"),
        ("icons.json", _set("services", "load", to={"service": "mdi:a"}), "icons.json: services"),
        ("services.yaml", lambda text: f"{text}\nload:\n  field:\n", "not a valid action"),
        ("quality_scale.yaml", lambda text: text.replace("done", "todo"), "not a valid rule"),
        ("../../hacs.json", _set("filename", to="a.zip"), "hacs.json: unexpected key 'filename'"),
    ],
)
def test_mistakes(tmp_path: Path, name: str, change: Callable[[str], str], told: str) -> None:
    """Each kind of mistake is told, with its place."""
    package = tmp_path / PACKAGE
    shutil.copytree(ROOT / PACKAGE, package, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(ROOT / "hacs.json", tmp_path)
    (package / name).write_text(change((package / name).read_text()))
    assert told in "\n".join(validate(tmp_path))
