"""Tests of what is done about application credentials, at a real server."""

from datetime import timedelta

from aiohttp import web
from homeassistant.components import application_credentials
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.core_credentials.options import (
    CONF_LOOK_AFTER,
    CONF_VERIFY,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.watching import watch
from custom_components.developer_credentials.watching.answers import VALID_FOR
from custom_components.developer_credentials.watching.logins import (
    COMES_BACK_AFTER,
    async_log_in_again,
)
from custom_components.developer_credentials.watching.memory import (
    async_get_logins,
    async_was_accepted,
)
from custom_components.developer_credentials.watching.rejection import (
    async_get_core_rejections,
)
from tests.adopting.acme import (
    AUTH_DOMAIN,
    CONFIG_FLOW,
    INIT,
    NEW_SECRET,
    accept,
    add_entry,
    add_item,
    change_secret,
    expire,
    own_class,
    reauths,
    refuse,
    token,
)
from tests.common import SENTINEL, entry_of, issue_ids
from tests.conftest import Install, PassTime
from tests.recording_server import TOKEN, Recorded, RecordingServer, Respond, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "acme")

# One that names itself, as Withings and SmartThings do.
NAMES_ITSELF = """
class Implementation(AuthImplementation):
    @property
    def domain(self):
        return "acme"
"""


@pytest.fixture
async def watched(hass: HomeAssistant, setup: None, acme: None) -> None:
    """Have application credentials looked after."""
    assert await async_setup_component(hass, "application_credentials", {})
    await async_get_or_create_entry(hass)
    await settle(hass)


async def settle(hass: HomeAssistant) -> None:
    """Wait for everything, inquiries included."""
    await hass.async_block_till_done(wait_background_tasks=True)


def knows_client(secret: str = SENTINEL, words: str = "Secret expired") -> Respond:
    """Return what answers as a server does that knows the client with a secret."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        body = await request.post()
        if body.get("client_secret") != secret:
            error = {"error": "invalid_client", "error_description": words}
            return await answer(error, 401)(request)
        if body["grant_type"] == "refresh_token":
            return await answer(TOKEN)(request)
        return await answer({"error": "invalid_grant"}, 400)(request)

    return respond


def inquiries(server: RecordingServer) -> list[Recorded]:
    """Return the requests with a code that nobody issued."""
    return [one for one in server.requests if one.body.get("grant_type") == "authorization_code"]


async def later(hass: HomeAssistant, pass_time: PassTime, seconds: float) -> None:
    """Let seconds pass, by both clocks."""
    pass_time(seconds)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds + 1))
    await settle(hass)


async def add(hass: HomeAssistant) -> None:
    """Add the application credential, and have it verified."""
    await add_item(hass)
    await settle(hass)


async def fail(hass: HomeAssistant) -> MockConfigEntry:
    """Set up an entry that uses the application credential, and wait for what comes of it."""
    entry = await add_entry(hass)
    await settle(hass)
    return entry


def proven(hass: HomeAssistant) -> list[bool]:
    """Return of each rejected application credential whether it was accepted before."""
    return [one.proven for one in async_get_core_rejections(hass).values()]


@pytest.mark.usefixtures("watched")
class TestAdded:
    """An application credential is entered in Home Assistant's own dialog."""

    async def test_mistyped(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """One that the server does not know is told at once, by its name and no client id."""
        server.respond = knows_client("another")
        await add(hass)
        (issue_id,) = issue_ids(hass)
        issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
        assert issue is not None
        assert issue.is_fixable
        assert issue.translation_placeholders == {"credential": "Acme: My app"}
        assert "client" not in f"{issue_id}{issue.data}".replace("application_credential", "")
        assert len(inquiries(server)) <= 3
        assert {one.method for one in server.requests} == {"POST"}

    async def test_known(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """One that the server knows is told to nobody, and remembered by a digest."""
        server.respond = knows_client()
        await add(hass)
        assert issue_ids(hass) == []
        assert async_was_accepted(hass, "acme", "client-id")
        assert not async_was_accepted(hass, "acme", "other")
        assert not async_was_accepted(hass, "other", "client-id")
        assert "client-id" not in str(entry_of(hass).data["watched"]["accepted"])

    async def test_not_verified(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """With the option off, nobody is asked."""
        hass.config_entries.async_update_entry(entry_of(hass), options={CONF_VERIFY: False})
        server.respond = knows_client("another")
        await add(hass)
        assert server.requests == []

    async def test_deleted(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Deleted, it is told no more; entered again rightly, neither."""
        server.respond = knows_client(NEW_SECRET)
        await add(hass)
        assert len(issue_ids(hass)) == 1
        collection = hass.data[application_credentials.DATA_COMPONENT]
        await collection.async_delete_item(AUTH_DOMAIN)
        await settle(hass)
        assert issue_ids(hass) == []
        server.respond = knows_client()
        await add(hass)
        assert issue_ids(hass) == []

    async def test_renamed(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Another name is nothing to ask the server about."""
        server.respond = knows_client()
        await add(hass)
        asked = len(server.requests)
        await change_secret(hass)
        await settle(hass)
        assert len(server.requests) > asked


@pytest.mark.usefixtures("watched")
class TestRejected:
    """The secret is rotated or expires at the provider."""

    async def test_login_that_cannot_help(
        self, hass: HomeAssistant, server: RecordingServer
    ) -> None:
        """Accepted before and rejected now: the repair, and no login; mended, the entry is back."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await fail(hass)
        assert entry.state is ConfigEntryState.SETUP_ERROR
        assert reauths(hass) == []
        assert list(async_get_logins(hass)) == [entry.entry_id]
        assert proven(hass) == [True]
        assert [one.answer for one in async_get_core_rejections(hass).values()] == [
            "invalid_client: Secret expired"
        ]
        issues = ir.async_get(hass).issues
        assert [one for one in issues if one[1].startswith("config_entry_reauth")] == []
        await change_secret(hass)
        await settle(hass)
        assert entry.state.name == "LOADED"
        assert (issue_ids(hass), reauths(hass), dict(async_get_logins(hass))) == ([], [], {})

    async def test_never_accepted(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A server that has never accepted it proves nothing: the repair, and the login stays."""
        server.respond = refuse()
        await add(hass)
        entry = await fail(hass)
        assert len(issue_ids(hass)) == 1
        assert reauths(hass) == [entry.entry_id]
        assert proven(hass) == [False]

    @pytest.mark.parametrize(
        ("error", "status"),
        [("invalid_grant", 400), ("unauthorized_client", 400), ("whatever", 403), ("x", 400)],
    )
    async def test_login_that_helps(
        self, hass: HomeAssistant, server: RecordingServer, error: str, status: int
    ) -> None:
        """Whatever else the server says, Home Assistant's own way is left alone."""
        server.respond = knows_client()
        await add(hass)
        server.respond = refuse(error, status)
        entry = await fail(hass)
        if error == "unauthorized_client":
            # A name for a client that is not accepted.
            assert reauths(hass) in ([], [entry.entry_id])
        else:
            assert reauths(hass) == [entry.entry_id]
            assert issue_ids(hass) == []

    async def test_every_poll(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """The same login, asked for again and again, is taken back without asking the server."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await fail(hass)
        asked = len(inquiries(server))
        since = dict(async_get_logins(hass))
        for _ in range(5):
            entry.async_start_reauth(hass)
            await settle(hass)
            assert reauths(hass) == []
        assert len(inquiries(server)) == asked
        assert async_get_logins(hass) == since

    async def test_opened(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A login that the user has opened is never taken back."""
        server.respond = refuse("invalid_grant", 400)
        await add(hass)
        accept(hass)
        entry = await fail(hass)
        (flow,) = hass.config_entries.flow.async_progress_by_handler("acme")
        # As the frontend does when the dialog is opened.
        await hass.config_entries.flow.async_configure(flow["flow_id"])
        server.respond = knows_client(NEW_SECRET)
        await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
        assert reauths(hass) == [entry.entry_id]

    async def test_hundred(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A hundred entries that fail at once make one verification, and lead to one repair."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        for number in range(100):
            data = {"auth_implementation": AUTH_DOMAIN, "token": token()}
            entry = MockConfigEntry(domain="acme", title=f"Home {number}", data=data)
            entry.add_to_hass(hass)
        server.requests.clear()
        assert await async_setup_component(hass, "acme", {})
        await settle(hass)
        assert len({one.body["code"] for one in inquiries(server)}) <= 3
        assert len(issue_ids(hass)) == 1
        assert reauths(hass) == []

    async def test_names_itself(
        self, hass: HomeAssistant, server: RecordingServer, install: Install
    ) -> None:
        """The entries of an integration that names itself are found, and go on."""
        install(
            "acme2",
            application_credentials=own_class(server, NAMES_ITSELF).replace('"acme"', '"acme2"'),
            __init__=INIT,
            config_flow=CONFIG_FLOW.replace('"acme"', '"acme2"'),
        )
        server.respond = knows_client()
        collection = hass.data[application_credentials.DATA_COMPONENT]
        item = {"domain": "acme2", "client_id": "client-id", "client_secret": SENTINEL}
        await collection.async_create_item(item)
        await settle(hass)
        server.respond = knows_client(NEW_SECRET)
        data = {"auth_implementation": "acme2", "token": token()}
        entry = MockConfigEntry(domain="acme2", title="Home", data=data)
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await settle(hass)
        assert len(issue_ids(hass)) == 1
        assert hass.config_entries.flow.async_progress_by_handler("acme2") == []
        server.respond = knows_client()
        await hass.config_entries.async_set_disabled_by(
            entry_of(hass).entry_id, ConfigEntryDisabler.USER
        )
        await settle(hass)
        (flow,) = hass.config_entries.flow.async_progress_by_handler("acme2")
        assert flow["context"]["source"] == SOURCE_REAUTH

    async def test_mended_at_the_provider(
        self, hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
    ) -> None:
        """While the repair stands, the server is asked each hour; accepted, the entry is back."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await fail(hass)
        asked = len(inquiries(server))
        await later(hass, pass_time, 3600)
        assert len(inquiries(server)) > asked
        assert len(issue_ids(hass)) == 1
        server.respond = knows_client()
        await later(hass, pass_time, 3600)
        assert issue_ids(hass) == []
        assert entry.state is ConfigEntryState.LOADED
        assert dict(async_get_logins(hass)) == {}

    async def test_comes_back(
        self, hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
    ) -> None:
        """After a day in which nothing was mended the login is back, and stays."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await fail(hass)
        await later(hass, pass_time, COMES_BACK_AFTER)
        assert reauths(hass) == [entry.entry_id]
        await later(hass, pass_time, 3600)
        entry.async_start_reauth(hass)
        await settle(hass)
        assert reauths(hass) == [entry.entry_id]

    async def test_log_in_again(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A login that the user has asked for is not taken back."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await fail(hass)
        one = async_get_application_credentials(hass)[AUTH_DOMAIN]
        assert async_log_in_again(hass, one) == [entry]
        await settle(hass)
        assert reauths(hass) == [entry.entry_id]


@pytest.mark.usefixtures("watched")
class TestHowOften:
    """How often a server is asked."""

    async def test_quarter_of_an_hour(
        self, hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
    ) -> None:
        """What no user has asked for is asked once in a quarter of an hour, and then again."""
        server.respond = knows_client()
        await add(hass)
        server.respond = refuse("invalid_grant", 400)
        entry = await fail(hass)
        asked = len(inquiries(server))
        for _ in range(5):
            await hass.config_entries.async_reload(entry.entry_id)
            await settle(hass)
        assert len(inquiries(server)) == asked
        # The login is still asked for, and now for another reason.
        server.respond = knows_client(NEW_SECRET)
        await later(hass, pass_time, VALID_FOR)
        assert len(inquiries(server)) > asked
        assert len(issue_ids(hass)) == 1

    async def test_user_has_just_asked(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """That a user has just had it verified keeps no failure from being looked into."""
        server.respond = knows_client()
        await add(hass)
        assert len(inquiries(server)) == 1
        server.respond = knows_client(NEW_SECRET)
        await fail(hass)
        assert len(issue_ids(hass)) == 1

    async def test_no_answer(
        self, hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
    ) -> None:
        """A server that does not answer proves nothing; it is asked again within the hour."""
        server.respond = knows_client()
        await add(hass)

        async def drop(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        server.respond = drop
        entry = await fail(hass)
        assert issue_ids(hass) == []
        # The minimum version of Home Assistant leaves it to integrations to try again.
        assert entry.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}
        asked = len(inquiries(server))
        for _ in range(10):
            await hass.config_entries.async_reload(entry.entry_id)
            await settle(hass)
        assert len(inquiries(server)) == asked
        server.respond = knows_client(NEW_SECRET)
        await later(hass, pass_time, 3600)
        await later(hass, pass_time, 1)
        assert len(issue_ids(hass)) == 1

    async def test_nothing_wrong(
        self, hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
    ) -> None:
        """While nothing is wrong, nobody is asked anything."""
        server.respond = knows_client()
        await add(hass)
        server.requests.clear()
        entry = await fail(hass)
        assert entry.state is ConfigEntryState.LOADED
        for _ in range(24):
            await later(hass, pass_time, 3600)
        assert [one.body["grant_type"] for one in server.requests] == ["refresh_token"]


class TestStart:
    """Home Assistant starts."""

    async def test_first_seen(
        self, hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
    ) -> None:
        """What was never verified is verified once, minutes after the start, and remembered."""
        assert await async_setup_component(hass, "application_credentials", {})
        await add_item(hass)
        server.respond = knows_client()
        hass.set_state(CoreState.not_running)
        await async_get_or_create_entry(hass)
        await hass.async_start()
        await settle(hass)
        assert server.requests == []
        await later(hass, pass_time, watch.FIRST_SEEN_AFTER)
        assert len(inquiries(server)) == 1
        assert async_was_accepted(hass, "acme", "client-id")
        await hass.config_entries.async_reload(entry_of(hass).entry_id)
        await later(hass, pass_time, watch.FIRST_SEEN_AFTER)
        assert len(inquiries(server)) == 1

    @pytest.mark.parametrize("first", [DOMAIN, "application_credentials"])
    async def test_order(self, hass: HomeAssistant, server: RecordingServer, first: str) -> None:
        """Whichever is set up first, what is added is verified."""
        if first == "application_credentials":
            assert await async_setup_component(hass, "application_credentials", {})
        await async_get_or_create_entry(hass)
        await settle(hass)
        assert await async_setup_component(hass, "application_credentials", {})
        server.respond = refuse()
        await add(hass)
        assert len(issue_ids(hass)) == 1

    async def test_failed_before(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """What failed before our entry was set up is looked at then; its login stays."""
        assert await async_setup_component(hass, "application_credentials", {})
        await add_item(hass)
        server.respond = refuse()
        entry = await add_entry(hass)
        await async_get_or_create_entry(hass)
        await settle(hass)
        assert len(issue_ids(hass)) == 1
        assert reauths(hass) == [entry.entry_id]

    @pytest.mark.parametrize(("age", "is_back"), [(COMES_BACK_AFTER - 60, True), (60, False)])
    async def test_taken_back_before(
        self,
        hass: HomeAssistant,
        server: RecordingServer,
        pass_time: PassTime,
        age: float,
        *,
        is_back: bool,
    ) -> None:
        """A login that was taken back before the restart comes back when its day is over."""
        assert await async_setup_component(hass, "application_credentials", {})
        await add_item(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await add_entry(hass)
        (flow,) = hass.config_entries.flow.async_progress_by_handler("acme")
        hass.config_entries.flow.async_abort(flow["flow_id"])
        taken_back = dt_util.utcnow().timestamp() - age
        memory = {"salt": "salt", "logins": {entry.entry_id: taken_back, "gone": taken_back}}
        ours = MockConfigEntry(domain=DOMAIN, data={"watched": memory})
        ours.add_to_hass(hass)
        await hass.config_entries.async_setup(ours.entry_id)
        await settle(hass)
        assert reauths(hass) == []
        await later(hass, pass_time, 120)
        assert reauths(hass) == ([entry.entry_id] if is_back else [])


@pytest.mark.usefixtures("watched")
class TestSwitchedOff:
    """As if we had never been there."""

    @pytest.mark.parametrize("how", ["option", "disable", "remove", "unload"])
    async def test_off(self, hass: HomeAssistant, server: RecordingServer, how: str) -> None:
        """Repairs go, logins come back, and nobody is asked any more."""
        server.respond = knows_client()
        await add(hass)
        server.respond = knows_client(NEW_SECRET)
        entry = await fail(hass)
        assert reauths(hass) == []
        ours = entry_of(hass)
        if how == "option":
            hass.config_entries.async_update_entry(ours, options={CONF_LOOK_AFTER: False})
        elif how == "disable":
            await hass.config_entries.async_set_disabled_by(ours.entry_id, ConfigEntryDisabler.USER)
        elif how == "remove":
            await hass.config_entries.async_remove(ours.entry_id)
        else:
            await hass.config_entries.async_unload(ours.entry_id)
        await settle(hass)
        assert issue_ids(hass) == []
        assert reauths(hass) == [entry.entry_id]
        server.requests.clear()
        expire(hass, entry)
        await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
        assert inquiries(server) == []

    async def test_on_again(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Switched on again, they are looked after again."""
        ours = entry_of(hass)
        hass.config_entries.async_update_entry(ours, options={CONF_LOOK_AFTER: False})
        hass.config_entries.async_update_entry(ours, options={})
        server.respond = refuse()
        await add(hass)
        assert len(issue_ids(hass)) == 1
