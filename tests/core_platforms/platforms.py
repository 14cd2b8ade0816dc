"""Each integration that has application credentials, with a client that its server rejects.

`script/core_platforms` runs it; the ordinary suite does not, since it needs the libraries of all of
these integrations.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
import json
import os
from pathlib import Path
from typing import Any, Final

from homeassistant.loader import async_get_integration
from homeassistant.util.package import is_installed
import pytest

from custom_components.developer_credentials.core_credentials.options import (
    ADOPT_ALL,
    ADOPT_NONE,
    CONF_ADOPT,
)
from tests.recording_server import RecordingServer

from .home import CLIENT_SECRET, NEW_SECRET, Home, home
from .integrations import DOMAINS, setup_of
from .providers import EVERY_CLIENT, Provider

REJECTED: Final = "application_credential_rejected"
# Seconds.
MINUTE: Final = 60
HOUR: Final = 3600
# Until what was never seen is verified.
FIRST_SEEN: Final = 5 * MINUTE + 1
# Until a server is asked again for an integration that fails.
AGAIN: Final = 15 * MINUTE + 1

# On one worker, since they import the same libraries.
EACH: Final = [
    pytest.param(domain, id=domain, marks=pytest.mark.xdist_group(domain)) for domain in DOMAINS
]
ASKING: Final = [
    pytest.param(domain, id=domain, marks=pytest.mark.xdist_group(domain))
    for domain in DOMAINS
    if not setup_of(domain).no_token_request
]
BOTH: Final = pytest.mark.parametrize("adopt", [ADOPT_NONE, ADOPT_ALL], ids=["watched", "adopted"])

type Start = Callable[[str], AbstractAsyncContextManager[Home]]


@pytest.fixture
def start(
    server: RecordingServer,
    tmp_path: Path,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Start:
    """Return a function that starts Home Assistant with an integration, anew at each call."""
    provider = Provider(server)

    def start(domain: str) -> AbstractAsyncContextManager[Home]:
        hass_storage.clear()
        return home(domain, provider, tmp_path, monkeypatch)

    return start


def note(domain: str, what: str, **found: object) -> None:
    """Note what was found, for the table."""
    if folder := os.environ.get("CORE_PLATFORMS_RESULTS"):
        Path(folder, f"{domain}.{what}.json").write_text(json.dumps(found))


async def reject(it: Home) -> None:
    """Have the server reject the client from now on, and the entry, whose token expires, find out.

    A quarter of an hour after it was loaded: what is verified within is not verified again.
    """
    await it.unload_entry()
    await it.pass_time(AGAIN)
    it.provider.rejected = {EVERY_CLIENT if it.setup.is_mended_by_provider else CLIENT_SECRET}
    await it.set_up_entry()


@pytest.mark.parametrize("domain", EACH)
async def test_libraries(start: Start, domain: str) -> None:
    """The libraries are installed that the integration asks for, and what it depends on."""
    async with start(domain) as it:
        integration = await async_get_integration(it.hass, domain)
        assert [one for one in integration.requirements if not is_installed(one)] == []


@pytest.mark.parametrize("domain", EACH)
async def test_nothing_wrong(start: Start, domain: str) -> None:
    """While nothing is wrong, all is the same with and without us, and we ask nothing."""
    traces = {}
    for adopt in (None, ADOPT_NONE, ADOPT_ALL):
        async with start(domain) as it:
            await it.add_credential()
            if adopt:
                await it.install_ours({CONF_ADOPT: adopt})
            await it.add_entry()
            traces[adopt] = await it.trace()
            if adopt is None:
                asks = bool(it.provider.token_requests)
                note(domain, "healthy", state=it.state)
                assert asks != bool(it.setup.no_token_request)
                assert not asks or (it.state == "loaded") != bool(it.setup.not_loaded)
            # An entry that fails, since its API is not imitated here, is a reason to ask.
            assert len(it.inquiries) == bool(adopt and it.is_in_trouble)
    assert traces[ADOPT_NONE] == traces[None]
    assert traces[ADOPT_ALL] == traces[None]


@pytest.mark.parametrize("domain", EACH)
async def test_first_seen(start: Start, domain: str) -> None:
    """A credential that was never seen is verified once, minutes after the start; nothing else."""
    traces = []
    for ours in (False, True):
        async with start(domain) as it:
            await it.add_credential()
            if ours:
                await it.install_ours({})
            await it.add_entry()
            await it.pass_time(FIRST_SEEN)
            traces.append(await it.trace())
            assert len(it.inquiries) == (ours and it.setup.has_server)
    assert traces[0] == traces[1]


@pytest.mark.parametrize("domain", ASKING)
async def test_without_us(start: Start, domain: str) -> None:
    """For comparison: nobody says that the secret is what is wrong."""
    async with start(domain) as it:
        await it.add_credential()
        await it.add_entry()
        await reject(it)
        await it.pass_time(MINUTE)
        note(domain, "without", state=it.state, logins=it.logins)
        assert it.state in {"setup_error", "setup_retry"}
        assert it.repairs == []


@BOTH
@pytest.mark.parametrize("domain", ASKING)
async def test_accepted_before(start: Start, domain: str, adopt: str) -> None:
    """A client that was accepted and is rejected now: one repair, no login; mended, all is well."""
    async with start(domain) as it:
        await it.install_ours({CONF_ADOPT: adopt})
        await it.add_credential()
        await it.add_entry()
        healthy = it.state
        await it.pass_time(FIRST_SEEN)
        assert it.repairs == []

        await reject(it)
        await it.pass_time(MINUTE)
        found = {"state": it.state, "logins": it.logins, "repairs": len(it.repairs)}
        rejected = it.repairs
        if it.setup.is_mended_by_provider:
            it.provider.rejected.clear()
            await it.pass_time(HOUR + 1)
        else:
            await it.enter_secret(NEW_SECRET)
        found |= {"state_after": it.state, "logins_after": it.logins, "repairs_after": it.repairs}
        note(domain, f"accepted-{adopt}", **found)
        assert found["state"] in {"setup_error", "setup_retry"}
        assert found["logins"] == 0
        assert rejected == [REJECTED]
        assert it.state == healthy
        assert it.has_valid_token
        assert it.logins == 0
        assert it.repairs == []


@BOTH
@pytest.mark.parametrize("domain", ASKING)
async def test_never_accepted(start: Start, domain: str, adopt: str) -> None:
    """A client that was never accepted gets the repair, and its login stays."""
    found = []
    for ours in (False, True):
        async with start(domain) as it:
            it.provider.rejected = {EVERY_CLIENT}
            if ours:
                await it.install_ours({CONF_ADOPT: adopt})
            await it.add_credential()
            await it.add_entry()
            await it.pass_time(MINUTE)
            found.append((it.state, it.logins))
            repairs = it.repairs
    note(domain, f"never-{adopt}", state=found[1][0], logins=found[1][1], repairs=len(repairs))
    assert repairs == [REJECTED]
    assert found[1][1] == found[0][1]
