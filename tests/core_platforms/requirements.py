"""Prints what the integrations with application credentials require, and what they depend on.

`script/core_platforms` calls it with the Python of the Home Assistant that is to be tested.
"""

import json
from pathlib import Path

import homeassistant


def requirements() -> set[str]:
    """Return their requirements, as Home Assistant installs them before it loads them."""
    components = Path(homeassistant.__path__[0], "components")
    found: set[str] = set()
    seen: set[str] = set()
    left = [path.parent.name for path in components.glob("*/application_credentials.py")]
    while left:
        if (domain := left.pop()) in seen:
            continue
        seen.add(domain)
        manifest = json.loads((components / domain / "manifest.json").read_text())
        found.update(manifest.get("requirements", ()))
        left += manifest.get("dependencies", ())
        if domain != "bluetooth_adapters":
            # Its own are the adapters, which nothing imports.
            left += manifest.get("after_dependencies", ())
    return found


if __name__ == "__main__":
    print("\n".join(sorted(requirements())))  # noqa: T201 - it is run for that
