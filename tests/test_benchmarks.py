"""Tests of the benchmarks: what they count, and what they write.

The times are not tested: they are the machine's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from unittest.mock import patch
from xml.etree import ElementTree as ET

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)
from homeassistant.helpers.storage import Store
from homeassistant.loader import async_get_integration
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.credentials.store import (
    async_remove_subentry,
    async_update_credential,
    credential_of,
)
from custom_components.developer_credentials.testing import async_add_credential
from tests.bench.documents import BEGIN, END, PICTURE, write
from tests.bench.measuring import Row, in_turn
from tests.bench.picture import svg
from tests.bench.processes import IMPORT, START
from tests.bench.rows import CHANGING, LOGIN, PROVIDING, REFRESHING, ROTATION, SETTING_UP
from tests.bench.table import cells, text
from tests.bench.work import WORK, rows_of
from tests.common import PLATFORM, SENTINEL, add_credential
from tests.conftest import Install
from tests.recording_server import TOKEN, RecordingServer, answer

DOCS: Final = Path(__file__).parent.parent / "docs"

SLOWER = Row.of("Work", "slower & bigger", [0.2, 0.4, 0.6], [0.1, 0.2, 0.3])
FASTER = Row.of("Work", "faster", [2e6], [8e6], unit="B", counted="files written: 1 and 2")


async def _sessions(hass: HomeAssistant, tokens: int) -> list[OAuth2Session]:
    """Return 100 sessions of entries whose tokens have expired."""
    entries: list[ConfigEntry] = []
    for number in range(tokens):
        token = {**TOKEN, "refresh_token": f"{SENTINEL}-{number}", "expires_at": 0}
        data = {"auth_implementation": "acme_client_id", "token": token}
        mock = MockConfigEntry(domain="acme", data=data)
        mock.add_to_hass(hass)
        entries.append(mock)
    held = [entries[number % tokens] for number in range(100)]
    return [
        OAuth2Session(hass, one, await async_get_config_entry_implementation(hass, one))
        for one in held
    ]


@pytest.mark.parametrize("tokens", [1, 100])
@pytest.mark.usefixtures("setup")
async def test_requests_of_100_sessions(
    hass: HomeAssistant, install: Install, server: RecordingServer, tokens: int
) -> None:
    """There are as many requests as tokens."""
    install("acme", PLATFORM.replace("https://cloud.example", server.url))
    await add_credential(hass, "acme")
    sessions = await _sessions(hass, tokens)
    await asyncio.gather(*(one.async_ensure_token_valid() for one in sessions))
    assert len(server.requests) == tokens


INIT: Final = """
async def async_setup_entry(hass, entry):
    hass.data.setdefault("set_up", []).append(entry.entry_id)
    return True

async def async_unload_entry(hass, entry):
    return True
"""

CONFIG_FLOW: Final = """
from homeassistant.config_entries import ConfigFlow

class Flow(ConfigFlow, domain="acme"):
    pass
"""


@pytest.mark.usefixtures("hass_storage", "setup")
@pytest.mark.parametrize("change", ["added", "edited", "deleted"])
async def test_writes_and_reloads_of_a_change(
    hass: HomeAssistant, install: Install, server: RecordingServer, change: str
) -> None:
    """A credential that changes is written once, and reloads nothing; requests use it at once."""
    install(
        "acme",
        PLATFORM.replace("https://cloud.example", server.url),
        __init__=INIT,
        config_flow=CONFIG_FLOW,
    )
    for number in range(10):
        unused = await add_credential(hass, "acme", f"other-{number}")
    subentry = await add_credential(hass, "acme")
    (session, *_) = await _sessions(hass, 1)
    (entry,) = hass.config_entries.async_entries("acme")
    assert await hass.config_entries.async_setup(entry.entry_id)
    written: list[str] = []
    write: Callable[..., Awaitable[None]] = Store._async_handle_write_data  # noqa: SLF001 - to count

    async def wrote(store: Store[dict[str, object]], *args: object) -> None:
        written.append(store.key)
        await write(store, *args)

    secret = SENTINEL
    with patch.object(Store, "_async_handle_write_data", wrote):
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()
        written.clear()
        if change == "added":
            await async_add_credential(hass, "acme", DeveloperCredential("new", SENTINEL))
        elif change == "edited":
            secret = f"{SENTINEL}-new"
            integration = await async_get_integration(hass, "acme")
            credential = replace(credential_of(subentry), client_secret=secret)
            async_update_credential(hass, subentry, integration, credential)
        else:
            async_remove_subentry(hass, unused)
        await hass.async_block_till_done()
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()
    assert written == ["core.config_entries"]
    assert hass.data["set_up"] == [entry.entry_id]
    server.respond = answer(TOKEN)
    await session.async_ensure_token_valid()
    assert [one.body["client_secret"] for one in server.requests] == [secret]


async def test_measured_in_turn() -> None:
    """Both sides are measured alternately, and a first time does not count."""
    order: list[str] = []

    async def ours() -> None:
        order.append("ours")

    async def peers() -> None:
        order.append("peer's")

    times = await in_turn(ours, peers, rounds=2, calls=2)
    assert order == ["ours", "ours", "peer's", "peer's"] * 3
    assert [len(one) for one in times] == [2, 2]


def test_table() -> None:
    """A row has the medians, the quartiles where there are several, the ratio and the counts."""
    assert cells(SLOWER) == (
        "slower & bigger",
        "400 ms (300 to 500)",
        "200 ms (150 to 250)",
        "2.00",
        "",
    )
    assert cells(FASTER) == ("faster", "2 MB", "8 MB", "0.25", "files written: 1 and 2")
    assert sum("Work" in line for line in text([SLOWER, FASTER])) == 1


def test_work() -> None:
    """What users have to do is counted by the browser tests; a row has one thing of a journey."""
    dialogs, clicks, _ = rows_of('["a rotated secret", [3, 4, 1, 0], [8, 10, 2, 1]]\n')
    assert cells(dialogs) == ("a rotated secret: dialogs", "3", "8", "0.38", "logins: 0 and 1")
    assert cells(clicks) == ("a rotated secret: clicks", "4", "10", "0.40", "")


def test_picture() -> None:
    """The picture is an image with a bar for each row, in the colors that the reader prefers."""
    picture = svg([SLOWER, FASTER])
    root = ET.fromstring(picture)  # noqa: S314 - it is ours
    kinds = [one.get("class") for one in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert kinds == ["page", "slower", "faster"]
    assert "prefers-color-scheme: dark" in picture


def test_written(tmp_path: Path) -> None:
    """The table and the picture are renewed, and nothing else of the page."""
    (tmp_path / "images").mkdir()
    page = tmp_path / "benchmarks.md"
    page.write_text(f"Before\n{BEGIN}\nold\n{END}\nAfter\n")
    write(tmp_path, [SLOWER, FASTER])
    written = page.read_text()
    assert written.startswith(f"Before\n{BEGIN}\n")
    assert written.endswith(f"\n{END}\nAfter\n")
    assert "| slower & bigger |" in written
    assert "old" not in written
    ET.parse(tmp_path / PICTURE)  # noqa: S314 - it is ours


def test_page() -> None:
    """The documentation has a table that was written, and its picture."""
    page = (DOCS / "benchmarks.md").read_text()
    table = page.partition(BEGIN)[2].partition(END)[0]
    groups = (PROVIDING, SETTING_UP, CHANGING, LOGIN, REFRESHING, ROTATION, IMPORT, START, WORK)
    for group in groups:
        assert f"\n| {group} |" in table
    # What a quick run leaves out.
    assert "1,000" in table
    assert f"]({PICTURE})" in page
    ET.parse(DOCS / PICTURE)  # noqa: S314 - it is ours
