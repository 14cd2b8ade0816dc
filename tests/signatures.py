"""The signatures of public names, as the source has them."""

import ast
from collections.abc import Iterator
import inspect
from pathlib import Path
import re
from types import ModuleType
from typing import Final

# What is public of a class, though its name is not: the first argument that is given by name only;
# and what integrations override, as in Home Assistant's own classes.
_PUBLIC: Final = {"_", "__init__", "_token_request"}


def public_signatures(package: ModuleType) -> list[str]:
    """Return the signatures of the names in a package's `__all__`, as they are written.

    Of a class, they are those of what is public that it defines itself, in its order, which that of
    its arguments may be; and then of what it inherits from classes of the package that are not.
    """
    found: dict[str, list[str]] = {}
    for file in sorted(Path(inspect.getfile(package)).parent.rglob("*.py")):
        for name, member, signature in _signatures(ast.parse(file.read_text())):
            if not member.startswith("_") or member in _PUBLIC:
                found.setdefault(name, []).append(signature)

    def of(name: str) -> Iterator[str]:
        definition, *members = found[name]
        yield definition
        yield from members
        for base in re.findall(r"\w+", definition.partition("(")[2].partition(")")[0]):
            if definition.startswith("class ") and base in found and base not in package.__all__:
                _, *inherited = of(base)
                yield from (f"{name}:{one.partition(':')[2]}" for one in inherited)

    return [signature for name in sorted(package.__all__) for signature in of(name)]


def listed(text: str) -> list[str]:
    """Return the signatures of a list, in which long ones go on in indented lines."""
    return re.sub(r"\n +", " ", text).strip().splitlines()


def _signatures(node: ast.AST, of: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield what a module, a class or its `__init__` defines: its name, the member, and all of it.

    Args:
        node: The module, class, or function.
        of: The name of the class.
    """
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                bases = ", ".join(ast.unparse(base) for base in child.bases)
                yield name, "", f"class {name}({bases})"
                yield from _signatures(child, name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                kind = "async def" if isinstance(child, ast.AsyncFunctionDef) else "def"
                returned = ast.unparse(child.returns) if child.returns else ""
                arguments = f"({ast.unparse(child.args)}) -> {returned}"
                if not of:
                    yield name, "", f"{kind} {name}{arguments}"
                    continue
                yield of, name, f"{of}: {kind} {name}{arguments}"
                if name == "__init__":
                    yield from _signatures(child, of)
            case ast.AnnAssign() | ast.Assign():
                yield from _attributes(child, of, in_class=isinstance(node, ast.ClassDef))


def _attributes(
    node: ast.AnnAssign | ast.Assign, of: str, *, in_class: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield the constant or the attribute that an assignment makes.

    A value is shown where it is the default of an argument.
    """
    target = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
    kind = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    if not of:
        yield target, "", f"{target}{kind}"
    elif in_class:
        value = f" = {ast.unparse(node.value)}" if node.value else ""
        yield of, target, f"{of}: {target}{kind}{value}"
    elif target.startswith("self."):
        name = target.removeprefix("self.")
        yield of, name, f"{of}: {name}{kind}"
