"""The borders of the rooms: what may import what, read from the imports themselves."""

import ast
from importlib.util import resolve_name
from pathlib import Path
import re
from typing import Final

import homeassistant.components
import pytest

ROOT: Final = Path(__file__).parent.parent
NAME: Final = "custom_components.developer_credentials"
PACKAGE: Final = ROOT / Path(*NAME.split("."))
ARCHITECTURE: Final = (ROOT / "docs" / "architecture.md").read_text()

# What binds the rooms together: whatever stands at the top, but for the leaves and the contract.
TOP: Final = "top level"
LEAVES: Final = frozenset({"const", "plain_text", "private_api"})
CONTRACT: Final = "platform"
# What the tests of integrations import, and nothing of ours.
TESTING: Final = "testing"
# By room, lowest first: what it may import besides itself and the leaves.
BORDERS: Final[dict[str, frozenset[str]]] = {
    "oauth2": frozenset(),
    CONTRACT: frozenset({"oauth2"}),
    "credentials": frozenset({"oauth2", CONTRACT}),
    "core_credentials": frozenset({"oauth2", CONTRACT, "credentials"}),
    "watching": frozenset({"oauth2", CONTRACT, "credentials", "core_credentials"}),
    "adopting": frozenset({"oauth2", CONTRACT, "credentials", "core_credentials", "watching"}),
    "flows": frozenset({"oauth2", CONTRACT, "credentials", "core_credentials", "watching"}),
    TOP: frozenset(
        {"oauth2", CONTRACT, "credentials", "core_credentials", "watching", "adopting", "flows"}
    ),
    TESTING: frozenset(
        {"oauth2", CONTRACT, "credentials", "core_credentials", "watching", "flows", TOP}
    ),
}
# The exception by which an implementation tells the flow that uses it why there is no login.
FOR_THE_PROTOCOL: Final = "homeassistant.data_entry_flow.AbortFlow"
# What of Home Assistant the protocol does not know: entries, flows and storage.
NOT_FOR_THE_PROTOCOL: Final = (
    "homeassistant.config_entries",
    "homeassistant.data_entry_flow",
    "homeassistant.helpers.storage",
    "homeassistant.helpers.issue_registry",
)


def _imports(source: str, package: str) -> set[str]:
    """Return the full names that a module imports, wherever in it and however.

    Those in functions and under TYPE_CHECKING count, and so does a name that is given to
    `import_module` or one of its kind.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            found |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and re.search("import", ast.unparse(node.func)):
            names = (one.value for one in node.args if isinstance(one, ast.Constant))
            for name in names:
                if isinstance(name, str) and re.fullmatch(r"\.*[\w.]+", name):
                    found.add(resolve_name(name, package))
    return found


def _room(name: str) -> str | None:
    """Return the room of a full name; None for what is not ours."""
    if name != NAME and not name.startswith(f"{NAME}."):
        return None
    first = name.removeprefix(NAME).lstrip(".").split(".")[0]
    return first if first in BORDERS or first in LEAVES else TOP


def _modules() -> dict[str, set[str]]:
    """Return what each module imports, by its full name."""
    modules: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        package = ".".join(parts[:-1])
        name = package if parts[-1] == "__init__" else ".".join(parts)
        modules[name] = _imports(path.read_text(), package)
    return modules


MODULES: Final = _modules()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_borders(module: str) -> None:
    """A room imports what is below it, and never reaches up."""
    room = _room(module)
    assert room is not None
    allowed = BORDERS.get(room, frozenset()) | LEAVES | {room}
    for name in MODULES[module]:
        assert _room(name) in allowed | {None}, f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if _room(name) in LEAVES))
def test_leaves(module: str) -> None:
    """A leaf, which every room may import, imports nothing of ours but other leaves."""
    assert {_room(name) for name in MODULES[module]} <= LEAVES | {None}


@pytest.mark.parametrize("module", sorted(name for name in MODULES if _room(name) == "oauth2"))
def test_protocol(module: str) -> None:
    """The protocol knows no config entry, no flow and no storage."""
    for name in MODULES[module] - {FOR_THE_PROTOCOL}:
        assert not name.startswith(NOT_FOR_THE_PROTOCOL), name


def test_nothing_imports_testing() -> None:
    """What integrations test with is not a part of what runs."""
    users = [module for module, names in MODULES.items() if TESTING in map(_room, names)]
    assert {_room(module) for module in users} == {TESTING}


def test_private_api() -> None:
    """One file touches what Home Assistant keeps for itself."""
    users = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if re.search(r"SLF001|HassKey\(PEER\)", path.read_text())
    }
    assert users == {"private_api.py"}


def test_rooms_say_what_they_are() -> None:
    """The `__init__.py` of a room is a docstring, and re-exports nothing that is not public."""
    for room in BORDERS.keys() - {TESTING}:
        if (init := PACKAGE / room / "__init__.py").exists():
            (docstring,) = ast.parse(init.read_text()).body
            assert isinstance(docstring, ast.Expr)


def test_no_other_platform() -> None:
    """Nothing at the top has the name of a platform that it is not.

    Home Assistant takes a file or folder of that name for the platform, and fails on our entry.
    """
    (components,) = homeassistant.components.__path__
    platforms = {path.name for path in Path(components).iterdir()} | {"application_credentials"}
    names = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    # The last is the name of a component that has no platforms.
    assert names & platforms == {"diagnostics", "repairs", "system_health", "websocket_api"}


def test_diagram() -> None:
    """The picture of the rooms in the documentation has the imports that there are."""
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)$", ARCHITECTURE, re.MULTILINE))
    names = {TOP: "top"}
    there = {
        (names.get(room, room), names.get(target, target))
        for module, imports in MODULES.items()
        if (room := _room(module)) in BORDERS
        for target in {_room(name) for name in imports}
        if target in BORDERS and target != room
    }
    assert drawn == there


@pytest.mark.parametrize(
    "source",
    [
        "from ..flows.credential_form import choice",
        "from .. import flows",
        "def f():\n    from ..flows import credential_form",
        "if TYPE_CHECKING:\n    from ..flows.instructions import x",
        f"import {NAME}.flows.instructions",
        f"import_module('{NAME}.flows.instructions')",
        "import_module('..flows.instructions', __package__)",
        f"await async_import_module(hass, '{NAME}.flows')",
    ],
)
def test_reaching_up_is_seen(source: str) -> None:
    """No way to import is overlooked."""
    source = f"async def f():\n    {source}" if source.startswith("await") else source
    assert "flows" in {_room(name) for name in _imports(source, f"{NAME}.oauth2")}
