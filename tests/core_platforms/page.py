"""Prints docs/core_platforms.md, made of what `platforms.py` has noted in a folder."""

import json
from pathlib import Path
import sys
from typing import Any

import homeassistant

from custom_components.developer_credentials.core_credentials.options import ADOPT_ALL, ADOPT_NONE

from .integrations import DOMAINS, setup_of

_TEXT = """# Every integration of Home Assistant

This page shows what happens in {asking} of the {all} integrations of Home Assistant that use \
application credentials when the provider rejects the client. A test sets each of them up for \
real, with its own libraries, against a server that does as the test says. `script/core_platforms` \
runs it and writes this page.

- **Without**: what Home Assistant does without Developer Credentials.
- **Rejected**: the provider accepted the client before, and rejects it now. This is what there is \
a minute after the integration has found out. *Adopted* is the same with the option *Adopt*.
- **Corrected**: the right secret was entered; or, where users cannot correct it, the provider \
accepts it again.
- **Never accepted**: the provider has rejected the client from the start.

| integration | without | rejected | rejected, adopted | corrected | never accepted |
|---|---|---|---|---|---|
{rows}

¹ Its client has no secret, or comes with the integration: the provider accepts it again, and \
within an hour everything goes on by itself.

² It gets a new token. It is not loaded in this test, which does not imitate its API.

The others do not ask the token endpoint when they are set up:

| integration | why |
|---|---|
{others}

While nothing is wrong, nothing differs: the same test compares the requests, flows, entries, \
issues and entities of all {all} with and without Developer Credentials, adopted or not. A \
credential that was never verified is verified once, five minutes after the start.
"""


def main(folder: Path) -> None:
    """Print the page."""

    def found(domain: str, what: str) -> dict[str, Any]:
        noted: dict[str, Any] = json.loads((folder / f"{domain}.{what}.json").read_text())
        return noted

    rows, others = [], []
    for domain in DOMAINS:
        setup = setup_of(domain)
        if setup.no_token_request:
            others.append(f"| {_name(domain)} | {setup.no_token_request} |")
            continue
        watched = found(domain, f"accepted-{ADOPT_NONE}")
        cells = [
            _name(domain) + (" ¹" if setup.is_mended_by_provider else ""),
            _login(found(domain, "without")),
            _repair(watched),
            _repair(found(domain, f"accepted-{ADOPT_ALL}")),
            "loaded" if watched["state_after"] == "loaded" else "a token ²",
            _repair(found(domain, f"never-{ADOPT_NONE}")),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    text = _TEXT.format(
        all=len(DOMAINS), asking=len(rows), rows="\n".join(rows), others="\n".join(others)
    )
    sys.stdout.write(text)


def _name(domain: str) -> str:
    manifest = Path(homeassistant.__path__[0], "components", domain, "manifest.json")
    name: str = json.loads(manifest.read_text())["name"]
    return name


def _login(found: dict[str, Any]) -> str:
    return "login" if found["logins"] else "error"


def _repair(found: dict[str, Any]) -> str:
    said = ["repair"] * found["repairs"] + ["login"] * found["logins"]
    if found["state"] == "setup_retry":
        said.append("tries again")
    return ", ".join(said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
