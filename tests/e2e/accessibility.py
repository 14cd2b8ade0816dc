"""axe-core, from npm, looks for what keeps people out of a dialog."""

from functools import cache
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from tests.npm import install

# The dialogs that show what is ours: flows and repairs.
DIALOGS: Final = ("dialog-data-entry-flow", "dialog-repairs-issue")

# What is Home Assistant's own, and so not ours to mend: the frame of its dialogs is made of
# landmarks, the header of a collapsed section is a heading of the third level, and the last step,
# which asks for the name and the area of a new device, is all its own.
OPTIONS: Final = {
    "resultTypes": ["violations"],
    "rules": {
        "heading-order": {"enabled": False},
        "landmark-contentinfo-is-top-level": {"enabled": False},
        "landmark-no-duplicate-contentinfo": {"enabled": False},
        "landmark-unique": {"enabled": False},
    },
}
EXCLUDED: Final = ("step-flow-create-entry",)

RUN: Final = """async ([dialogs, excluded, options]) => {
    const within = (name) => ({ fromShadowDom: ["home-assistant", ...name] });
    const root = document.querySelector("home-assistant").shadowRoot;
    const open = dialogs.filter((name) => root.querySelector(name));
    if (!open.length) return [];
    const { violations } = await axe.run(
        {
            include: open.map((name) => within([name])),
            exclude: open.flatMap((name) => excluded.map((part) => within([name, part]))),
        },
        options,
    );
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
}"""


@cache
def _axe() -> str:
    return (install(Path(__file__).parent) / "axe-core" / "axe.min.js").read_text()


async def find_violations(page: Page) -> list[str]:
    """Return what is wrong in the open dialogs of Home Assistant, as axe-core says it."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    found: list[str] = await page.evaluate(RUN, [list(DIALOGS), list(EXCLUDED), OPTIONS])
    return found
