"""Tests of what adopted implementations make of the server's answers, against a real server."""

import asyncio
from http import HTTPStatus
from unittest.mock import patch

from aiohttp import ClientResponseError, web
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import (
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)
from homeassistant.setup import async_setup_component
import pytest

from custom_components.developer_credentials.adopting import implementation as implementation_module
from custom_components.developer_credentials.adopting import provider as adopting_provider
from custom_components.developer_credentials.adopting.implementation import adoption_of
from custom_components.developer_credentials.adopting.token_request import ASKING
from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    TokenRequestError,
    UnavailableError,
)
from custom_components.developer_credentials.plain_text import escape_markdown
from custom_components.developer_credentials.watching import rejection
from custom_components.developer_credentials.watching.memory import (
    async_has_had_token,
    async_was_accepted,
)
from custom_components.developer_credentials.watching.rejection import (
    async_get_core_rejections,
    async_note_answer,
)
from tests.adopting.acme import (
    AUTH_DOMAIN,
    CONFIG_FLOW,
    INIT,
    MAKE,
    NEW_SECRET,
    accept,
    add_entry,
    add_item,
    adopt,
    change_secret,
    expire,
    get_implementation,
    own_class,
    reauths,
    refreshes,
    refuse,
    token,
)
from tests.common import REDIRECT_URI, SENTINEL, entry_of
from tests.conftest import Install
from tests.recording_server import TOKEN, RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

OWN_WORDS = """class Implementation(AuthImplementation):
    async def _token_request(self, data):
        try:
            return await super()._token_request(data)
        except Exception:
            raise ValueError("its own") from None
"""

OWN_REQUESTS = """from homeassistant.helpers.aiohttp_client import async_get_clientsession

class Implementation(AuthImplementation):
    async def _token_request(self, data):
        session = async_get_clientsession(self.hass)
        data = {**data, "secret": self.client_secret}
        response = await session.post(self.token_url, data=data)
        response.raise_for_status()
        return await response.json()
"""

# As a custom integration does whose provider has moved: it looks at the status.
LOOKS_AT_STATUS = """from aiohttp import ClientResponseError

class Implementation(AuthImplementation):
    async def _token_request(self, data):
        try:
            return await super()._token_request(data)
        except ClientResponseError as err:
            if err.status not in (400, 401) or self.token_url.endswith("/new"):
                raise
        self.token_url += "/new"
        return await super()._token_request(data)
"""

LOOKS_AT_ANSWER = """class Implementation(AuthImplementation):
    async def _token_request(self, data):
        answer = await super()._token_request(data)
        if answer.get("error") == "invalid_grant" and "again" not in data:
            return await super()._token_request({**data, "again": "1"})
        return answer
"""

KEEPS_TOKEN = """class Implementation(AuthImplementation):
    async def _async_refresh_token(self, token):
        return {**token, "access_token": "as it was", "expires_in": 60}
"""


async def _install(
    hass: HomeAssistant, install: Install, server: RecordingServer, cls: str, make: str = MAKE
) -> None:
    """Install an integration with a class of its own, whose implementations are adopted."""
    platform = own_class(server, cls, make)
    install("acme", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)
    assert await async_setup_component(hass, PEER, {})
    await adopt(hass)
    await add_item(hass)


# As Withings does, whose answers have a good status.
MERGES = """class Implementation(AuthImplementation):
    async def _async_refresh_token(self, token):
        data = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        return {**token, **await self._token_request(data)}
"""

TRIES_AGAIN = """class Implementation(AuthImplementation):
    has_tried = False

    async def _async_refresh_token(self, token):
        try:
            return await super()._async_refresh_token(token)
        except Exception:
            if self.has_tried:
                raise
            self.has_tried = True
            return await self._async_refresh_token(token)
"""

REFRESHES_ANOTHER = """class Implementation(AuthImplementation):
    async def _async_refresh_token(self, token):
        if other := self.hass.data.pop("acme_other", None):
            try:
                await other._token_request(
                    {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
                )
            except Exception:
                pass
        return token
"""


class TestRejectedClient:
    """The server does not accept the client."""

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("status", [400, 401, 200])
    async def test_accepted_before(
        self, hass: HomeAssistant, server: RecordingServer, status: int
    ) -> None:
        """One that was accepted before is a repair; the entry tries again, and nobody logs in."""
        accept(hass)
        server.respond = refuse(status=status)
        entry = await add_entry(hass)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert reauths(hass) == []
        assert list(async_get_core_rejections(hass)) == [AUTH_DOMAIN]
        with pytest.raises(InvalidClientError) as caught:
            await (await get_implementation(hass)).async_refresh_token(token())
        err = caught.value
        assert (err.domain, err.status, err.http_status) == ("acme", 500, status)
        assert (err.error, err.error_description) == ("invalid_client", "The words")
        assert err.__cause__ is err.__context__ is None
        # Corrected, it goes on by itself.
        server.respond = answer(TOKEN)
        await change_secret(hass)
        assert entry.state is ConfigEntryState.LOADED  # type: ignore[comparison-overlap]  # it has changed
        assert refreshes(server)[-1].body["client_secret"] == NEW_SECRET

    @pytest.mark.usefixtures("adopted")
    async def test_while_loaded(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """An entry that runs stays loaded, and nobody is asked to log in."""
        entry = await add_entry(hass)
        assert async_has_had_token(hass, "acme", "client-id")
        server.respond = refuse(status=400)
        expire(hass, entry)
        with pytest.raises(InvalidClientError):
            await entry.runtime_data.async_ensure_token_valid()
        await hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED
        assert reauths(hass) == []
        assert list(async_get_core_rejections(hass)) == [AUTH_DOMAIN]
        server.respond = answer({**TOKEN, "access_token": f"{SENTINEL}-another"})
        await entry.runtime_data.async_ensure_token_valid()
        await hass.async_block_till_done()
        assert list(async_get_core_rejections(hass)) == []
        assert hass.data["set_up"] == [entry.entry_id]

    @pytest.mark.usefixtures("adopted")
    async def test_never_accepted(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """One that was never accepted is told in a repair, and the login is asked for and stays."""
        server.respond = refuse()
        implementation = await get_implementation(hass)
        with pytest.raises(OAuth2TokenRequestReauthError) as caught:
            await implementation.async_refresh_token(token())
        assert not isinstance(caught.value, TokenRequestError)
        assert caught.value.status == HTTPStatus.UNAUTHORIZED
        assert list(async_get_core_rejections(hass)) == [AUTH_DOMAIN]
        assert not async_has_had_token(hass, "acme", "client-id")
        server.respond = answer(TOKEN)
        entry = await add_entry(hass, expires_at=2**33)
        server.respond = refuse()
        with patch.object(rejection, "async_was_accepted", return_value=False):
            expire(hass, entry)
            with pytest.raises(OAuth2TokenRequestReauthError):
                await entry.runtime_data.async_ensure_token_valid()

    @pytest.mark.usefixtures("adopted")
    async def test_never_accepted_good_status(
        self, hass: HomeAssistant, server: RecordingServer
    ) -> None:
        """Said with a good status, it has never been a reason for a login."""
        server.respond = refuse(status=200)
        implementation = await get_implementation(hass)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its kind is what is tested
            await implementation.async_refresh_token(token())
        assert not isinstance(caught.value, OAuth2TokenRequestReauthError)
        assert list(async_get_core_rejections(hass)) == [AUTH_DOMAIN]

    async def test_own_words(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """Whatever the integration makes of it, a client that was accepted before is the reason."""
        await _install(hass, install, server, OWN_WORDS)
        server.respond = refuse()
        implementation = await get_implementation(hass)
        with pytest.raises(ValueError, match="its own"):
            await implementation.async_refresh_token(token())
        accept(hass)
        with pytest.raises(InvalidClientError):
            await implementation.async_refresh_token(token())

    @pytest.mark.usefixtures("adopted")
    async def test_other_client_by_now(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """An item that is another client by now is told nothing of what was said of the old one."""
        accept(hass)
        implementation = await get_implementation(hass)
        collection = hass.data["application_credentials"]
        item = collection.data[AUTH_DOMAIN]
        server.respond = refuse()
        collection.data[AUTH_DOMAIN] = {**item, "client_id": "another"}
        for _ in range(2):
            with pytest.raises(OAuth2TokenRequestReauthError):
                await implementation.async_refresh_token(token())
            collection.data.pop(AUTH_DOMAIN, None)
        assert list(async_get_core_rejections(hass)) == []
        collection.data[AUTH_DOMAIN] = item

    @pytest.mark.usefixtures("adopted")
    async def test_corrected_meanwhile(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A secret that was corrected while the server looked at the old one is tried at once."""
        accept(hass)
        implementation = await get_implementation(hass)

        async def respond(request: web.Request) -> web.StreamResponse:
            if NEW_SECRET in await request.text():
                return await answer(TOKEN)(request)
            await change_secret(hass, waits=False)
            return await refuse()(request)

        server.respond = respond
        note = patch.object(adopting_provider, "async_note_answer", wraps=async_note_answer)
        with note as noted:
            refreshed = await implementation.async_refresh_token(token())
        assert refreshed["access_token"] == TOKEN["access_token"]
        # Nothing was said of the new secret but that.
        assert [call.args[2] for call in noted.call_args_list] == [None]
        assert [one.body["client_secret"] for one in refreshes(server)] == [SENTINEL, NEW_SECRET]

    @pytest.mark.usefixtures("adopted")
    async def test_noting_fails(
        self, hass: HomeAssistant, server: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where it cannot be told, the entry has what it would have had."""
        accept(hass)
        implementation = await get_implementation(hass)
        broken = patch.object(
            adopting_provider, "async_note_answer", side_effect=KeyError(SENTINEL)
        )
        with broken:
            assert await implementation.async_refresh_token(token())
            server.respond = refuse()
            with pytest.raises(OAuth2TokenRequestReauthError) as caught:
                await implementation.async_refresh_token(token())
        assert not isinstance(caught.value, TokenRequestError)
        assert caplog.text.count("A token request of acme is as without us: KeyError") == 2


class TestOtherAnswers:
    """Whatever else the server says."""

    @pytest.mark.usefixtures("adopted")
    async def test_token(self, hass: HomeAssistant) -> None:
        """A token is proof that the server accepts the client, when it is asked for one."""
        assert not async_has_had_token(hass, "acme", "client-id")
        await (await get_implementation(hass)).async_refresh_token(token())
        assert async_has_had_token(hass, "acme", "client-id")
        assert not async_was_accepted(hass, "acme", "client-id")

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("status", [400, 200])
    async def test_invalid_grant(
        self, hass: HomeAssistant, server: RecordingServer, status: int
    ) -> None:
        """A login that the server wants is asked for; it is proof that the client is accepted."""
        server.respond = refuse("invalid_grant", status)
        entry = await add_entry(hass)
        assert reauths(hass) == [entry.entry_id]
        assert list(async_get_core_rejections(hass)) == []
        assert async_has_had_token(hass, "acme", "client-id")
        with pytest.raises(InvalidGrantError):
            await (await get_implementation(hass)).async_refresh_token(token())

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize(
        ("error", "status", "kind"),
        [
            ("temporarily_unavailable", 400, UnavailableError),
            ("rate_limited", 200, UnavailableError),
            ("weird", 400, OAuth2TokenRequestReauthError),
            ("weird", 503, OAuth2TokenRequestTransientError),
        ],
    )
    async def test_known_name(
        self,
        hass: HomeAssistant,
        server: RecordingServer,
        error: str,
        status: int,
        kind: type[Exception],
    ) -> None:
        """What the server calls by a known name is what is raised; else it is Home Assistant's."""
        server.respond = refuse(error, status)
        with pytest.raises(kind) as caught:
            await (await get_implementation(hass)).async_refresh_token(token())
        assert isinstance(caught.value, TokenRequestError) is (error != "weird")
        assert not async_has_had_token(hass, "acme", "client-id")

    @pytest.mark.usefixtures("adopted")
    async def test_retry_after(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """What is raised says how long the server wants to be left alone."""
        body = {"error": "temporarily_unavailable"}
        server.respond = answer(body, 503, "application/json", **{"Retry-After": "7"})
        with pytest.raises(UnavailableError) as caught:
            await (await get_implementation(hass)).async_refresh_token(token())
        assert caught.value.retry_after == 7

    async def test_own_words(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """What the integration makes of it stays."""
        await _install(hass, install, server, OWN_WORDS)
        server.respond = refuse("invalid_grant", 400)
        with pytest.raises(ValueError, match="its own"):
            await (await get_implementation(hass)).async_refresh_token(token())

    @pytest.mark.parametrize(
        ("cls", "error", "status"),
        [(LOOKS_AT_STATUS, "invalid_client", 401), (LOOKS_AT_ANSWER, "invalid_grant", 200)],
    )
    async def test_integration_looks_itself(
        self,
        hass: HomeAssistant,
        install: Install,
        server: RecordingServer,
        cls: str,
        error: str,
        status: int,
    ) -> None:
        """A class that looks at what its `super()` brings sees what Home Assistant shows it."""
        await _install(hass, install, server, cls)
        accept(hass)

        async def respond(request: web.Request) -> web.StreamResponse:
            if request.path == "/token/new" or "again" in await request.text():
                return await answer(TOKEN)(request)
            return await refuse(error, status)(request)

        server.respond = respond
        entry = await add_entry(hass)
        assert entry.state is ConfigEntryState.LOADED
        assert list(async_get_core_rejections(hass)) == []

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ({"error": "invalid_client"}, InvalidClientError),
            ({"error": "invalid_grant"}, InvalidGrantError),
            ({"status": 601}, None),
        ],
    )
    async def test_merged(
        self,
        hass: HomeAssistant,
        install: Install,
        server: RecordingServer,
        body: dict[str, object],
        kind: type[Exception] | None,
    ) -> None:
        """An old token is not taken for a new one, where the server has said what is wrong."""
        await _install(hass, install, server, MERGES)
        server.respond = answer(body)
        implementation = await get_implementation(hass)
        if kind:
            with pytest.raises(kind):
                await implementation.async_refresh_token(token())
        else:
            refreshed = await implementation.async_refresh_token(token())
            assert refreshed["access_token"] == token()["access_token"]
        assert async_has_had_token(hass, "acme", "client-id") is (kind is InvalidGrantError)

    async def test_no_request(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """Where the server was not asked, nothing is known of the client."""
        await _install(hass, install, server, KEEPS_TOKEN)
        await (await get_implementation(hass)).async_refresh_token(token())
        assert not async_has_had_token(hass, "acme", "client-id")

    async def test_own_requests(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """A class that makes its requests itself fails in its own way, and nothing is asked."""
        await _install(hass, install, server, OWN_REQUESTS)
        accept(hass)
        implementation = await get_implementation(hass)
        server.respond = refuse()
        server.requests.clear()
        with pytest.raises(ClientResponseError) as caught:
            await implementation.async_refresh_token(token())
        assert not isinstance(caught.value, TokenRequestError)
        assert len(server.requests) == 1
        assert list(async_get_core_rejections(hass)) == []

    @pytest.mark.usefixtures("adopted")
    async def test_called_directly(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A token request that an integration makes itself is Home Assistant's own."""
        implementation = await get_implementation(hass)
        login = {"code": "code", "state": {"flow_id": "x", "redirect_uri": REDIRECT_URI}}
        await implementation.async_resolve_external_data(login)
        # What has come before is over.
        assert ASKING.get() is None
        data = {"grant_type": "password"}
        answered = await implementation._token_request(data)  # noqa: SLF001 - as integrations do
        assert answered == TOKEN
        assert server.requests[-1].body["grant_type"] == "password"

    @pytest.mark.usefixtures("adopted")
    async def test_no_refresh_token(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """A token that cannot be refreshed fails as in Home Assistant."""
        server.requests.clear()
        with pytest.raises(KeyError):
            await (await get_implementation(hass)).async_refresh_token({"access_token": "1"})
        assert server.requests == []


class TestSingleFlight:
    """Of all who ask to refresh one token at a time, one does."""

    @pytest.mark.parametrize("cls", ["Implementation = AuthImplementation", OWN_REQUESTS])
    async def test_sessions(
        self, hass: HomeAssistant, install: Install, server: RecordingServer, cls: str
    ) -> None:
        """Two sessions of an entry make one request, also where the class makes it itself."""
        await _install(hass, install, server, cls)
        entry = await add_entry(hass, expires_at=2**33)
        implementation = await async_get_config_entry_implementation(hass, entry)
        session, other = entry.runtime_data, OAuth2Session(hass, entry, implementation)
        assert adoption_of(session.implementation)
        assert session.implementation is not implementation
        expire(hass, entry)
        await asyncio.gather(session.async_ensure_token_valid(), other.async_ensure_token_valid())
        assert len(refreshes(server)) == 1
        results = await asyncio.gather(
            *(one.async_refresh_token(token()) for one in (implementation, implementation))
        )
        assert results[0] is not results[1]
        assert len(refreshes(server)) == 2

    async def test_tries_again_itself(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """A class that calls its own refresh within it does not wait for itself."""
        await _install(hass, install, server, TRIES_AGAIN)
        implementation = await get_implementation(hass)
        assert adoption_of(implementation)
        server.respond = refuse("invalid_grant", 400)
        async with asyncio.timeout(5):
            with pytest.raises(OAuth2TokenRequestReauthError):
                await implementation.async_refresh_token(token())
        assert len(refreshes(server)) == 2

    async def test_refreshes_another(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """What the server says of another one's token in between is not said of this one."""
        await _install(hass, install, server, REFRESHES_ANOTHER)
        implementation = await get_implementation(hass)
        hass.data["acme_other"] = await get_implementation(hass)
        server.respond = refuse("invalid_scope", 400)
        refreshed = await implementation.async_refresh_token(token())
        assert refreshed["access_token"] == token()["access_token"]
        assert len(refreshes(server)) == 1

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("lifetime", [60, None])
    async def test_nobody_waits(
        self, hass: HomeAssistant, server: RecordingServer, lifetime: int | None
    ) -> None:
        """A token that comes when nobody waits any more is stored: it may be given only once."""
        entry = await add_entry(hass, expires_at=2**33)
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def respond(request: web.Request) -> web.StreamResponse:
            arrived.set()
            await go_on.wait()
            return await answer({**TOKEN, "expires_in": lifetime})(request)

        server.respond = respond
        refresh = entry.runtime_data.implementation.async_refresh_token(entry.data["token"])
        waiting = hass.async_create_task(refresh)
        await arrived.wait()
        waiting.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await hass.async_block_till_done()
        is_kept = entry.data["token"]["access_token"] == TOKEN["access_token"]
        assert is_kept is (lifetime is not None)

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("name", ["client_id", "token_url"])
    async def test_other_client(
        self, hass: HomeAssistant, server: RecordingServer, name: str
    ) -> None:
        """The same refresh token of another client, or at another server, is another one."""
        one = await get_implementation(hass)
        other = await get_implementation(hass)
        setattr(other, name, f"{server.url}/another")
        await asyncio.gather(one.async_refresh_token(token()), other.async_refresh_token(token()))
        assert len(refreshes(server)) == 2


class TestLogin:
    """What a plain dialog of an integration says."""

    async def _log_in(
        self, hass: HomeAssistant, server: RecordingServer, error: str, status: int
    ) -> ConfigFlowResult:
        """Go through a login whose code the server refuses."""
        manager = hass.config_entries.flow
        server.respond = refuse(error, status, "The *words*")
        step = await manager.async_init("acme", context={"source": SOURCE_USER})
        assert step["type"] is FlowResultType.EXTERNAL_STEP
        state = {"flow_id": step["flow_id"], "redirect_uri": REDIRECT_URI}
        await manager.async_configure(step["flow_id"], {"state": state, "code": "code"})
        result = await manager.async_configure(step["flow_id"])
        assert result["type"] is FlowResultType.ABORT
        return result

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("was_accepted", [False, True])
    @pytest.mark.parametrize(
        ("error", "status", "reason"),
        [
            ("invalid_client", 401, "token_invalid_client"),
            ("redirect_uri_mismatch", 400, "token_invalid_redirect_uri"),
            ("invalid_grant", 400, "token_invalid_grant"),
            ("invalid_scope", 200, "token_invalid_scope"),
            ("whatever", 400, "token_refused"),
            ("whatever", 503, "token_unavailable"),
        ],
    )
    async def test_words(
        self,
        hass: HomeAssistant,
        server: RecordingServer,
        error: str,
        status: int,
        reason: str,
        was_accepted: bool,
    ) -> None:
        """It ends with what the server says, in a text of ours that says what to do."""
        if was_accepted:
            accept(hass)
        result = await self._log_in(hass, server, error, status)
        assert (result["reason"], result["translation_domain"]) == (reason, DOMAIN)
        assert result["description_placeholders"] == {
            "integration": "Acme",
            "detail": escape_markdown(f"{error}: The *words*"),
        }
        is_rejected = error == "invalid_client"
        assert list(async_get_core_rejections(hass)) == [AUTH_DOMAIN] * is_rejected

    @pytest.mark.usefixtures("adopted")
    async def test_no_words(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Where the server says nothing, or does not answer, it is Home Assistant's own text."""
        result = await self._log_in(hass, server, "", 400)
        assert result["reason"] == "token_refused"
        hass.config_entries.async_update_entry(entry_of(hass), options={})
        result = await self._log_in(hass, server, "invalid_client", 401)
        assert result["reason"] == "oauth_unauthorized"

    async def test_own_words(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """What the integration makes of it stays, unless the client is rejected."""
        await _install(hass, install, server, OWN_WORDS)
        with pytest.raises(ValueError, match="its own"):
            await self._log_in(hass, server, "invalid_grant", 400)
        result = await self._log_in(hass, server, "invalid_client", 401)
        assert result["reason"] == "token_invalid_client"

    @pytest.mark.usefixtures("adopted")
    async def test_ours_is_broken(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Where ours fails, it ends as without us."""
        server.respond = refuse("invalid_grant", 400)
        broken = patch.object(
            implementation_module, "async_get_loaded_integration", side_effect=RuntimeError
        )
        with broken:
            result = await self._log_in(hass, server, "invalid_grant", 400)
        assert result["reason"] in {"oauth_failed", "oauth_unauthorized"}

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("state", [{"flow_id": "gone"}, {}], ids=["flow has ended", "no flow"])
    async def test_outside_of_a_dialog(
        self, hass: HomeAssistant, server: RecordingServer, state: dict[str, str]
    ) -> None:
        """Where no dialog asks, there is an exception of token requests."""
        server.respond = refuse("invalid_grant", 400)
        data = {"code": "code", "state": {**state, "redirect_uri": REDIRECT_URI}}
        with pytest.raises(OAuth2TokenRequestError) as caught:
            await (await get_implementation(hass)).async_resolve_external_data(data)
        assert isinstance(caught.value, InvalidGrantError)

    @pytest.mark.usefixtures("adopted")
    async def test_token(self, hass: HomeAssistant) -> None:
        """A login that succeeds is proof that the server accepts the client."""
        data = {"code": "code", "state": {"flow_id": "x", "redirect_uri": REDIRECT_URI}}
        await (await get_implementation(hass)).async_resolve_external_data(data)
        assert async_has_had_token(hass, "acme", "client-id")
