"""Home Assistant's frontend in a browser, in the words of its user."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Final

from playwright.async_api import BrowserContext, Error, Locator, Page, expect

from demo.home_assistant import PASSWORD, USERNAME

from .accessibility import find_violations

SCREENSHOTS: Final = Path(__file__).parent / "screenshots"

# Milliseconds that the frontend may take for one step.
PATIENCE: Final = 20_000

# What of a page or a dialog is wider than its place, so that one has to scroll sideways to read it.
TOO_WIDE: Final = """() => {
    const found = [];
    const look = (root) => root.querySelectorAll("*").forEach((one) => {
        const { overflowX } = getComputedStyle(one);
        if (["auto", "scroll"].includes(overflowX) && one.scrollWidth > one.clientWidth + 1)
            found.push(`${one.localName}.${one.className}: ${one.textContent.trim().slice(0, 80)}`);
        if (one.shadowRoot) look(one.shadowRoot);
    });
    if (document.scrollingElement.scrollWidth > innerWidth) found.push("the page");
    look(document);
    return found;
}"""


@dataclass
class Work:
    """What a user has done in Home Assistant.

    Attributes:
        dialogs: How many pages and dialogs have been looked at; one that comes back with an error
            is another one.
        clicks: How often something was clicked.
        fields: How many fields were filled in.
        logins: How many logins there were at the server.
    """

    dialogs: int = 0
    clicks: int = 0
    fields: int = 0
    logins: int = 0


class Frontend:
    """The pages and dialogs of Home Assistant that the journeys visit.

    Attributes:
        work: What the user has done.
    """

    def __init__(self, context: BrowserContext, page: Page, url: str, pictures: str) -> None:
        """Initialize with a page of Home Assistant, and the name of the folder for pictures."""
        self._pictures = SCREENSHOTS / pictures
        self._looked_at: set[str] = set()
        self._context = context
        self._page = page
        self._url = url
        self.work = Work()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)

    async def log_in(self) -> None:
        """Log in as the demo's user."""
        await self._page.goto(self._url, wait_until="domcontentloaded")
        await self._page.fill("input[name=username]", USERNAME)
        await self._page.fill("input[name=password]", PASSWORD)
        await self._page.get_by_role("button", name="Log in").click()
        await expect(self._page.locator("home-assistant-main")).to_be_attached()

    async def open_integrations(self) -> None:
        """Open Settings, Devices & services."""
        await self._open("config/integrations/dashboard")
        await expect(self._button("Add integration")).to_be_visible()

    async def _open(self, path: str) -> None:
        """Open a page, also while the frontend goes to another one by itself."""
        self.work.dialogs += 1
        url = f"{self._url}/{path}"
        for _ in range(3):
            with suppress(Error):
                await self._page.goto(url, wait_until="domcontentloaded")
            await self._page.wait_for_timeout(500)
            if self._page.url == url:
                return
        await self._page.goto(url, wait_until="domcontentloaded")

    async def open_credentials(self, *, empty: bool = False) -> None:
        """Open the page of Developer Credentials, which has credentials unless it is empty."""
        await self._open("config/integrations/integration/developer_credentials")
        row = "ha-config-entry-row" if empty else "ha-config-sub-entry-row"
        await expect(self._page.locator(row).first).to_be_visible()

    async def open_account(self, domain: str, item: str) -> None:
        """Choose an item of the menu of an integration's one account, on its page."""
        await self._open(f"config/integrations/integration/{domain}")
        row = self._page.locator("ha-config-entry-row").first
        await self.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
        await self.click_text(item)

    async def delete_application_credential(self) -> None:
        """Delete the one application credential, on the page of these."""
        await self._open("config/application_credentials")
        await self.click_in(self._page.locator("ha-data-table"), "ha-icon-overflow-menu")
        await self.click_text("Delete")
        await self.see_dialog("Delete application credential?")
        await self.click("Delete")

    async def configure(self) -> None:
        """Open the options of Developer Credentials, on its page."""
        await self._open("config/integrations/integration/developer_credentials")
        await self.click("Configure")

    async def open_repairs(self) -> None:
        """Open Settings, System, Repairs."""
        await self._open("config/repairs")

    async def add_integration(self, name: str) -> None:
        """Choose an integration to add."""
        await self.click("Add integration")
        self.work.dialogs += 1
        dialog = self._page.locator("dialog-add-integration")
        search = dialog.locator("input").first
        await self._fill(search, name)
        self.work.clicks += 1
        await dialog.get_by_text(name, exact=True).first.click()

    async def fill(self, **fields: str) -> None:
        """Fill in fields of a form."""
        for name, value in fields.items():
            self.work.fields += 1
            await self._fill(self._field(name), value)

    async def open_section(self, name: str) -> None:
        """Open a section of a form."""
        await self.click_text(name)
        # It opens by and by.
        await asyncio.sleep(0.5)

    async def turn(self, name: str) -> None:
        """Turn a switch of a form on or off."""
        self.work.clicks += 1
        row = self._page.locator("ha-selector-boolean").filter(has_text=name)
        await row.locator("ha-switch").filter(visible=True).last.click()

    async def value(self, name: str) -> str:
        """Return what a field of a form has."""
        return await self._field(name).input_value()

    async def click(self, name: str) -> None:
        """Click a button."""
        self.work.clicks += 1
        await self._button(name).click()

    async def see_dialog(self, text: str | re.Pattern[str]) -> None:
        """See another dialog, or another step in it, by a text that it has."""
        self.work.dialogs += 1
        await self.see(text)

    async def see(self, text: str | re.Pattern[str], picture: str = "") -> None:
        """See a text in the dialog or page, and take a picture of it."""
        await expect(self._page.get_by_text(text).filter(visible=True).first).to_be_visible()
        if picture:
            await self.picture(picture)

    async def sees(self, text: str) -> bool:
        """Return whether a text is in the dialog or page."""
        return await self._page.get_by_text(text).filter(visible=True).count() > 0

    async def picture(self, name: str) -> None:
        """Take a picture of the page, and see that it keeps nobody out."""
        # Dialogs and fields move for a moment.
        await asyncio.sleep(0.7)
        await self._page.screenshot(path=self._pictures / f"{name}.png")
        if name not in self._looked_at:
            self._looked_at.add(name)
            found = await find_violations(self._page)
            found += await self._page.evaluate(TOO_WIDE)
            if found:
                raise AssertionError("\n".join(found))

    async def login_window(self) -> Page:
        """Return the window of a login, once it has opened by itself."""
        for _ in range(PATIENCE // 100):
            if len(self._context.pages) > 1:
                break
            await asyncio.sleep(0.1)
        window = self._context.pages[-1]
        assert window is not self._page, "no window has opened"
        return window

    async def log_in_at_cloud(self, picture: str = "") -> None:
        """Log in at Demo Cloud, in the window that opened by itself and closes itself."""
        self.work.logins += 1
        cloud = await self.login_window()
        cloud.set_default_timeout(PATIENCE)
        await cloud.fill("input[name=username]", "demo")
        await cloud.fill("input[name=password]", "demo")
        if picture:
            await cloud.screenshot(path=self._pictures / f"{picture}.png")
        async with cloud.expect_event("close"):
            await cloud.get_by_role("button", name="Log in and allow").click()

    async def finish(self, picture: str = "") -> None:
        """Leave Home Assistant's last step of a new integration."""
        await self.see_dialog("Name and assign")
        if picture:
            await self.picture(picture)
        await self.click("Skip and finish")

    async def close(self) -> None:
        """Close a dialog."""
        await self._page.keyboard.press("Escape")

    async def leave_login(self) -> None:
        """Close the windows that have opened for a login."""
        for page in self._context.pages:
            if page is not self._page:
                await page.close()

    async def choose(self, field: str, option: str) -> None:
        """Choose an option of a drop-down field."""
        self.work.clicks += 1
        await self._page.get_by_label(field).filter(visible=True).last.click()
        await self.click_text(option)

    def subentry_row(self, title: str) -> Locator:
        """Return the row of a credential."""
        return self._page.locator("ha-config-sub-entry-row").filter(has_text=title)

    async def click_in(self, row: Locator, selector: str) -> None:
        """Click something in a row."""
        self.work.clicks += 1
        await row.locator(selector).first.click()

    async def click_text(self, text: str | re.Pattern[str]) -> None:
        """Click a text, such as an item of a menu; the whole one, or one with the pattern."""
        self.work.clicks += 1
        await self._page.get_by_text(text, exact=True).filter(visible=True).first.click()

    def _button(self, name: str) -> Locator:
        return self._page.get_by_role("button", name=name, exact=True).filter(visible=True).last

    def _field(self, name: str) -> Locator:
        return self._page.locator(f"input[name={name}]").filter(visible=True).last

    async def _fill(self, field: Locator, value: str) -> None:
        # A form that is rendered again forgets what came too early.
        for _ in range(20):
            await field.fill(value)
            await asyncio.sleep(0.1)
            if await field.input_value() == value:
                return
        raise AssertionError(f"the field does not keep {value!r}")
