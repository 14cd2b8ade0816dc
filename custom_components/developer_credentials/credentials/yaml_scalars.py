"""Numbers of the YAML list as they are written: 007 is no 7, but YAML reads it as one.

Home Assistant's loader tells the place of a mapping, and nothing of its scalars but their values.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

_SECRET: Final = "!secret"  # noqa: S105 - no secret
_SECRETS: Final = "secrets.yaml"

# By key: what is written there.
type Scalars = dict[str, set[str]]


def scalars_at(config_dir: Path, file: Path, line: int) -> Scalars:
    """Return what the scalars of a mapping are written as; to be called in an executor.

    A file that cannot be read has none.

    Args:
        config_dir: Where Home Assistant's configuration is; in it, and in no folder above, are
            the files with secrets.
        file: The file.
        line: The line that the mapping begins at.
    """
    found: Scalars = {}
    for key, node in _scalars(_compose(file), line):
        is_secret = node.tag == _SECRET
        text = _secret(config_dir, file, node.value) if is_secret else node.value
        if text is not None:
            found.setdefault(key, set()).add(text)
    return found


def _secret(config_dir: Path, file: Path, name: str) -> str | None:
    """Return what a secret is written as, None where there is none."""
    for folder in (one for one in file.parents if one.is_relative_to(config_dir)):
        secrets = dict(_scalars(_compose(folder / _SECRETS)))
        if name in secrets:
            return secrets[name].value
    return None


def _compose(file: Path) -> yaml.Node | None:
    """Return the nodes of a file, None where it cannot be read."""
    try:
        return yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError, UnicodeDecodeError, yaml.YAMLError:
        return None


def _scalars(
    node: yaml.Node | None, line: int | None = None
) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Yield the keys and scalars of the mappings at a line, and in them; None for any line."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, line)
    if isinstance(node, yaml.MappingNode):
        is_there = line in {None, node.start_mark.line + 1}
        for key, value in node.value:
            if is_there and isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode):
                yield key.value, value
            yield from _scalars(value, None if is_there else line)
