"""script/translations makes translations/en.json from strings.json."""

from collections.abc import Callable
import json
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

SCRIPT = Path(__file__).parent.parent / "script" / "translations"
PACKAGE = "custom_components/developer_credentials"
KEY = "component::developer_credentials"

type Run = Callable[..., subprocess.CompletedProcess[str]]


def _run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with nothing but the standard library."""
    return subprocess.run(  # noqa: S603 - the script is the project's own
        [sys.executable, "-I", "-S", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the folder of an integration, without texts."""
    folder = tmp_path / PACKAGE
    (folder / "translations").mkdir(parents=True)
    return folder


@pytest.fixture
def run(package: Path) -> Run:
    """Return what runs the script on the integration."""
    script = package.parent.parent / "script" / "translations"
    script.parent.mkdir()
    shutil.copy(SCRIPT, script)
    return lambda *arguments: _run(script, *arguments)


def test_project() -> None:
    """The translation of the project is the one that its strings.json expands to."""
    done = _run(SCRIPT, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_references(package: Path, run: Run) -> None:
    """References are resolved, within a text and over several steps; all else is left as it is."""
    strings = {
        "title": f"[%key:{KEY}::config::step::user::title%]",
        "config": {
            "step": {"user": {"title": "Grüße, {name} [1] 100%"}},
            "both": f"[%key:{KEY}::title%]: [%key:{KEY}::config::flow_title%].",
            "flow_title": "",
        },
    }
    (package / "strings.json").write_text(json.dumps(strings), encoding="utf-8")
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    expanded = (package / "translations" / "en.json").read_bytes().decode()
    assert expanded == (
        "{\n"
        '  "title": "Grüße, {name} [1] 100%",\n'
        '  "config": {\n'
        '    "step": {\n'
        '      "user": {\n'
        '        "title": "Grüße, {name} [1] 100%"\n'
        "      }\n"
        "    },\n"
        '    "both": "Grüße, {name} [1] 100%: .",\n'
        '    "flow_title": ""\n'
        "  }\n"
        "}\n"
    )
    assert run("--check").returncode == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"[%key:{KEY}::config::gone%]", f"reference to a missing key: {KEY}::config::gone"),
        (f"[%key:{KEY}::conf%]", f"reference to a missing key: {KEY}::conf"),
        (f"[%key:{KEY}::config%]", f"reference to a group of texts: {KEY}::config"),
        (
            "[%key:common::config_flow::data::name%]",
            "reference to a text that is not this integration's: common::config_flow::data::name",
        ),
        (
            f"[%key:{KEY}_demo::title%]",
            f"reference to a text that is not this integration's: {KEY}_demo::title",
        ),
        (f"[%key:{KEY}::title%]", f"endless references: {KEY}::title -> {KEY}::title"),
        (
            f"[%key:{KEY}::config::back%]",
            f"endless references: {KEY}::title -> {KEY}::config::back -> {KEY}::title",
        ),
        (f"[%key:{KEY}::config::other]", f"malformed reference: [%key:{KEY}::config::other]"),
        ("[%kye:a%]", "malformed reference: [%kye:a%]"),
        (1, "not a text: 1"),
    ],
)
def test_bad_strings(package: Path, run: Run, text: str | int, error: str) -> None:
    """What is wrong in strings.json is said with its key, and nothing is written."""
    strings = {"title": text, "config": {"back": f"[%key:{KEY}::title%]", "other": "Other"}}
    (package / "strings.json").write_text(json.dumps(strings))
    for arguments in ((), ("--check",)):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"strings.json: {KEY}::title: {error}\n"
    assert list((package / "translations").iterdir()) == []


def test_cycle_elsewhere(package: Path, run: Run) -> None:
    """References that lead into a cycle, without being in it, end with an error, too."""
    strings = {
        "start": f"[%key:{KEY}::one%]",
        "one": f"[%key:{KEY}::two%]",
        "two": f"[%key:{KEY}::one%]",
    }
    (package / "strings.json").write_text(json.dumps(strings))
    done = run()
    assert done.returncode == 1
    assert done.stderr == (
        f"strings.json: {KEY}::start: endless references: "
        f"{KEY}::start -> {KEY}::one -> {KEY}::two -> {KEY}::one\n"
    )


def test_no_json(package: Path, run: Run) -> None:
    """A strings.json that is not JSON is said with the place."""
    (package / "strings.json").write_text('{"title": }')
    done = run("--check")
    assert done.returncode == 1
    assert done.stderr.startswith("strings.json: Expecting value: line 1 column 11")


@pytest.mark.parametrize(
    ("current", "lines"),
    [
        ('{\n  "title": "Old",\n  "b": "B"\n}\n', ['-  "title": "Old",', '+  "title": "New",']),
        ('{\n  "title": "New"\n}\n', ['-  "title": "New"', '+  "title": "New",', '+  "b": "B"']),
        ('{\n  "b": "B",\n  "title": "New"\n}\n', ['-  "b": "B",', '-  "title": "New"']),
        ('{\n  "title": "New",\n  "b": "B"\n}\n\n', ["-"]),
        ('{\r\n  "title": "New",\r\n  "b": "B"\r\n}\r\n', ['+  "b": "B"']),
        ("", ['+  "title": "New",', '+  "b": "B"']),
    ],
    ids=["text", "missing", "order", "end", "newlines", "empty"],
)
def test_difference(package: Path, run: Run, current: str, lines: list[str]) -> None:
    """--check fails where the translation is another one, says where, and leaves it as it is."""
    (package / "strings.json").write_text('{"title": "New", "b": "B"}')
    translation = package / "translations" / "en.json"
    translation.write_bytes(current.encode())
    done = run("--check")
    assert (done.returncode, done.stdout) == (1, "")
    said = done.stderr.splitlines()
    assert said[:2] == ["--- translations/en.json", "+++ strings.json, expanded"]
    assert set(lines) <= set(said)
    assert said[-1] == "Edit strings.json, then run script/translations"
    assert translation.read_bytes() == current.encode()
    assert run().returncode == 0
    assert run("--check").returncode == 0


QUOTED = """# Page

| you see | why |
|---|---|
| Old text <!-- config.error.one --> | A reason. |
| {} <!-- config.step.user.description --> | Another | one |

> ? <!-- config.error.one --> and more
Not quoted <!-- config.error.one -->
"""


@pytest.fixture
def page(package: Path) -> Path:
    """Return a page of the documentation that quotes texts."""
    strings = {
        "config": {
            "error": {"one": "{name} is\nwrong."},
            "step": {"user": {"description": "First: one. Second."}},
        }
    }
    (package / "strings.json").write_text(json.dumps(strings))
    page = package.parent.parent / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text(QUOTED)
    return page


def test_quotations(page: Path, run: Run) -> None:
    """What the documentation quotes is renewed, and nothing else; --check tells of what is old."""
    done = run("--check")
    assert done.returncode == 1
    assert page.read_text() == QUOTED
    assert run().returncode == 0
    renewed = QUOTED.replace("Old text", "… is wrong.").replace("{}", "First: one.")
    assert page.read_text() == renewed.replace("> ?", "> … is wrong.")
    assert run("--check").returncode == 0
    page.write_text(QUOTED)
    done = run("--check")
    assert "--- docs/page.md" in done.stderr
    assert "+| … is wrong. <!-- config.error.one --> | A reason. |" in done.stderr.splitlines()


def test_quotation_of_nothing(page: Path, run: Run) -> None:
    """A page that quotes a text that is gone is told with its key, and nothing is written."""
    page.write_text("| Text <!-- config.error.gone -->")
    done = run()
    assert done.returncode == 1
    assert done.stderr == (
        "strings.json: the documentation quotes config.error.gone, which is no text\n"
    )
