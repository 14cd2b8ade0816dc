"""axe-core, from npm, looks for what keeps people out of a dialog."""

from functools import cache
from pathlib import Path
import re
from typing import Final

from playwright.async_api import Page

from tests.npm import install

# The dialogs that show what is ours: flows and repairs.
DIALOGS: Final = ("dialog-data-entry-flow", "dialog-repairs-issue")

# What is Home Assistant's own, and so not ours to mend: by rule, the element that breaks it.
NOT_OURS: Final = {
    # The frame of a dialog is made of landmarks.
    "landmark-contentinfo-is-top-level": "ha-dialog-footer",
    "landmark-no-duplicate-banner": "ha-dialog",
    "landmark-no-duplicate-contentinfo": "ha-dialog",
    "landmark-unique": "ha-dialog",
    # The header of a section is a heading of the third level, and names what it opens by an id
    # that is not there.
    "heading-order": "ha-form-expandable",
    "aria-valid-attr-value": "ha-expansion-panel",
    # A switch has no label of its own; it stands beside.
    "label": "ha-switch",
    "label-title-only": "ha-switch",
    # What is chosen in a picker, such as an area, is a button in the role of a list's item.
    "aria-allowed-role": "ha-combo-box-item",
    "aria-required-parent": "ha-combo-box-item",
}

RUN: Final = """async (dialogs) => {
    const root = document.querySelector("home-assistant").shadowRoot;
    const open = dialogs.filter((name) => root.querySelector(name));
    if (!open.length) return [];
    const include = open.map((name) => ({ fromShadowDom: ["home-assistant", name] }));
    const { violations } = await axe.run({ include }, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, html, failureSummary }) => [id, target.flat(), html, failureSummary]),
    );
}"""


@cache
def _axe() -> str:
    return (install(Path(__file__).parent) / "axe-core" / "axe.min.js").read_text()


async def find_violations(page: Page) -> list[str]:
    """Return what is wrong in the open dialogs of Home Assistant, as axe-core says it."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    return [
        f"{rule}: {html} {summary}"
        for rule, path, html, summary in await page.evaluate(RUN, DIALOGS)
        if NOT_OURS.get(rule) not in {re.split(r"[^\w-]", one)[0] for one in path}
    ]
