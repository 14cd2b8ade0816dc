"""Tests of inquiries: when a server is asked, and what that says."""

import asyncio
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError
import pytest

from custom_components.developer_credentials.core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
)
from custom_components.developer_credentials.oauth2.verification import Outcome
from custom_components.developer_credentials.watching import answers, inquiries
from custom_components.developer_credentials.watching.inquiries import async_inquire
from tests.conftest import PassTime
from tests.watching.cloud import (
    OWN_NAME,
    SECRET,
    WRONG,
    Cloud,
    enter,
    look_after,
    nap,
    repairs,
    rotate,
)

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")


async def test_token_endpoint_only(hass: HomeAssistant, cloud: Cloud) -> None:
    """The token endpoint is asked, never the login page."""
    one = await enter(hass)
    assert (await async_inquire(hass, one)).outcome is Outcome.ACCEPTED
    (request,) = cloud.server.requests
    assert (request.method, request.path) == ("POST", "/token")


async def test_one_in_flight(hass: HomeAssistant, cloud: Cloud) -> None:
    """Of inquiries for one client, one is in flight; a user's joins it."""
    one = await enter(hass)
    cloud.go_on.clear()
    asking = asyncio.gather(
        *(async_inquire(hass, one) for _ in range(3)), async_inquire(hass, one, by_user=True)
    )
    await nap()
    cloud.go_on.set()
    assert {found.outcome for found in await asking} == {Outcome.ACCEPTED}
    assert cloud.codes == ["id"]


async def test_quarter_of_an_hour(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """What no user asks for is asked once in a quarter of an hour; a user gets a new answer."""
    one = await enter(hass)
    await async_inquire(hass, one)
    pass_time(answers.VALID_FOR - 1)
    await async_inquire(hass, one)
    assert cloud.codes == ["id"]
    pass_time(2)
    await async_inquire(hass, one)
    await async_inquire(hass, one, by_user=True)
    assert cloud.codes == ["id"] * 3


async def test_user_in_between(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """That a user has asked in between does not let it be asked again sooner."""
    one = await enter(hass)
    await async_inquire(hass, one)
    pass_time(60)
    await async_inquire(hass, one, by_user=True)
    pass_time(60)
    assert (await async_inquire(hass, one)).outcome is Outcome.ACCEPTED
    assert cloud.codes == ["id"] * 2
    pass_time(answers.VALID_FOR - 119)
    await async_inquire(hass, one)
    assert cloud.codes == ["id"] * 3


async def test_changed(hass: HomeAssistant, cloud: Cloud) -> None:
    """Another secret makes another client, which is asked about at once."""
    one = await enter(hass)
    await async_inquire(hass, one)
    cloud.secrets["id"] = WRONG
    changed = await _changed(hass)
    assert (await async_inquire(hass, changed)).outcome is Outcome.ACCEPTED
    # The answer about what was there before is about nothing that is told.
    cloud.secrets["id"] = SECRET
    await look_after(hass)
    assert (await async_inquire(hass, one, by_user=True)).outcome is Outcome.ACCEPTED


async def _changed(hass: HomeAssistant) -> ApplicationCredential:
    await rotate(hass, WRONG)
    return async_get_application_credentials(hass)["acme_id"]


async def test_changed_while_the_server_is_asked(hass: HomeAssistant, cloud: Cloud) -> None:
    """A rejection of what is another client by now is not told."""
    await look_after(hass)
    one = await enter(hass)
    cloud.secrets["id"] = WRONG
    cloud.go_on.clear()
    asking = asyncio.create_task(async_inquire(hass, one, by_user=True))
    await nap()
    await _changed(hass)
    cloud.go_on.set()
    assert (await asking).outcome is Outcome.REJECTED
    assert repairs(hass) == []


async def test_network_is_down(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """After a server that did not answer nobody is asked for a while, twice as long each time."""
    cloud.secrets = dict.fromkeys(map(str, range(12)), SECRET)
    items = [await enter(hass, client_id=one) for one in cloud.secrets]
    cloud.is_down = True
    pauses = []
    for one in items[:8]:
        assert not (await async_inquire(hass, one)).answered
        pauses.append(answers.async_get_pause(hass))
        asked = len(cloud.codes)
        assert not (await async_inquire(hass, items[11])).answered
        assert len(cloud.codes) == asked
        pass_time(pauses[-1] + 1)
    assert pauses == pytest.approx([60, 120, 240, 480, 900, 900, 900, 900], abs=5)
    assert not (await async_inquire(hass, items[8])).answered
    cloud.is_down = False
    # A user's answer shows that the network is there.
    assert (await async_inquire(hass, items[9], by_user=True)).outcome is Outcome.ACCEPTED
    assert (await async_inquire(hass, items[10])).outcome is Outcome.ACCEPTED


async def test_no_address(hass: HomeAssistant, cloud: Cloud) -> None:
    """Where the redirect URI is not known, nobody is asked: a server may judge by it."""
    one = await enter(hass)
    with patch.object(inquiries, "async_get_redirect_uri", side_effect=NoURLAvailableError):
        assert (await async_inquire(hass, one)).outcome is Outcome.INCONCLUSIVE
    assert cloud.server.requests == []
    # It does not count as asked.
    assert (await async_inquire(hass, one)).outcome is Outcome.ACCEPTED


async def test_basic(hass: HomeAssistant, cloud: Cloud) -> None:
    """A client whose integration authenticates in the header is accepted (SmartThings)."""
    cloud.install("own", OWN_NAME)
    cloud.basic = True
    one = await enter(hass, domain="own")
    assert (await async_inquire(hass, one)).outcome is Outcome.ACCEPTED
