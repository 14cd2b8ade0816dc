"""Tests of what is adopted and what is not, and of how all of it ends."""

from collections.abc import Awaitable, Callable
import gc
from unittest.mock import patch

from aiohttp import web
from homeassistant.components.application_credentials import DATA_COMPONENT
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState, current_entry
from homeassistant.const import EVENT_COMPONENT_LOADED
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import OAuth2TokenRequestReauthError
from homeassistant.helpers.collection import CollectionChange
from homeassistant.helpers.config_entry_oauth2_flow import (
    DATA_PROVIDERS,
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
    LocalOAuth2Implementation,
    async_add_implementation_provider,
    async_get_implementations,
)
from homeassistant.setup import async_setup_component
import pytest

from custom_components.developer_credentials.adopting import provider as adopting_provider
from custom_components.developer_credentials.adopting.implementation import Adoption, adoption_of
from custom_components.developer_credentials.adopting.implementation import (
    adopt as adopt_implementation,
)
from custom_components.developer_credentials.adopting.provider import (
    AdoptionReport,
    async_get_adoptions,
)
from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.core_credentials.options import (
    ADOPT_ALL,
    ADOPT_CHOSEN,
    ADOPT_NONE,
    CONF_ADOPT,
    CONF_ADOPTED,
    CONF_LOOK_AFTER,
)
from custom_components.developer_credentials.private_api import async_get_unknown
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
    refreshes,
    refuse,
    token,
)
from tests.common import SENTINEL, entry_of
from tests.conftest import Install
from tests.recording_server import RecordingServer

type Provider = Callable[[HomeAssistant, str], Awaitable[list[AbstractOAuth2Implementation]]]

ADOPTED = AdoptionReport("acme", AUTH_DOMAIN, "adopted", 1)
LOCAL = """LocalOAuth2Implementation(
        hass, auth_domain, credential.client_id, credential.client_secret, "{url}/a", "{url}/token"
    )"""

OTHER = LOCAL.replace("credential.client_id", '"built-in"')


def _providers(hass: HomeAssistant) -> dict[str, Provider]:
    return hass.data[DATA_PROVIDERS]


def _is_original(implementation: LocalOAuth2Implementation) -> bool:
    """Return whether nothing of ours is on an implementation."""
    assert vars(implementation)["client_secret"] == SENTINEL
    return (
        type(implementation).__module__.startswith("homeassistant.")
        and not any(DOMAIN in cls.__module__ for cls in type(implementation).__mro__)
        and not any(DOMAIN in name for name in vars(implementation))
    )


def _count(hass: HomeAssistant) -> list[str]:
    """Return what Home Assistant's own provider is asked for from now on."""
    provider, asked = _providers(hass)[PEER], []
    real = getattr(provider, "theirs", provider)

    async def count(hass: HomeAssistant, domain: str) -> list[AbstractOAuth2Implementation]:
        asked.append(domain)
        return await real(hass, domain)

    if real is provider:
        async_add_implementation_provider(hass, PEER, count)
    else:
        vars(provider)["theirs"] = count
    return asked


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("order", [(DOMAIN, PEER), (PEER, DOMAIN)], ids=["ours", "theirs"])
async def test_order(hass: HomeAssistant, order: tuple[str, str]) -> None:
    """Whichever is set up first, implementations are adopted; theirs is asked once."""
    asked: list[str] = []
    for domain in order:
        assert await async_setup_component(hass, domain, {})
        if domain == DOMAIN:
            await adopt(hass)
        else:
            asked = _count(hass)
    await add_item(hass)
    keys = list(_providers(hass))
    asked.clear()
    implementation = await get_implementation(hass)
    assert asked == ["acme"]
    assert adoption_of(implementation)
    assert implementation.name == "My app"
    assert keys.index(PEER) == order.index(PEER)
    assert async_get_unknown(hass) == set()
    # Told again, it is not wrapped twice.
    wrapped = _providers(hass)[PEER]
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": PEER})
    await hass.async_block_till_done()
    assert _providers(hass)[PEER] is wrapped


@pytest.mark.usefixtures("acme", "setup")
@pytest.mark.parametrize(
    ("options", "adopts"),
    [
        ({}, False),
        ({CONF_ADOPT: ADOPT_NONE, CONF_ADOPTED: ["acme"]}, False),
        ({CONF_ADOPT: ADOPT_CHOSEN, CONF_ADOPTED: ["other"]}, False),
        ({CONF_ADOPT: ADOPT_CHOSEN, CONF_ADOPTED: ["acme"]}, True),
        ({CONF_ADOPT: ADOPT_ALL}, True),
        ({CONF_ADOPT: ADOPT_ALL, CONF_LOOK_AFTER: False}, False),
    ],
)
async def test_options(hass: HomeAssistant, options: dict[str, object], adopts: bool) -> None:
    """It is adopted what the user has chosen, and by default nothing."""
    assert await async_setup_component(hass, PEER, {})
    await adopt(hass)
    hass.config_entries.async_update_entry(entry_of(hass), options=options)
    await hass.async_block_till_done()
    await add_item(hass)
    implementation = await get_implementation(hass)
    assert (adoption_of(implementation) is not None) is adopts
    assert _is_original(implementation) is not adopts
    assert async_get_adoptions(hass) == ([ADOPTED] if adopts else [])
    chosen = options.get(CONF_ADOPT, ADOPT_NONE) != ADOPT_NONE
    is_wrapped = chosen and options.get(CONF_LOOK_AFTER, True)
    assert hasattr(_providers(hass)[PEER], "theirs") is is_wrapped


@pytest.mark.usefixtures("acme", "setup")
async def test_without_entry(hass: HomeAssistant) -> None:
    """Without our entry nothing is wrapped, and nothing to be reported."""
    assert await async_setup_component(hass, PEER, {})
    await add_item(hass)
    assert _is_original(await get_implementation(hass))
    assert async_get_adoptions(hass) == []


@pytest.mark.usefixtures("adopted")
@pytest.mark.parametrize("how", ["option", "not chosen", "unloaded", "disabled", "removed"])
async def test_kill_switch(hass: HomeAssistant, server: RecordingServer, how: str) -> None:
    """Whatever ends it, what is in use is what it was at once, and works; without a restart."""
    real = getattr(_providers(hass)[PEER], "theirs")  # noqa: B009 - it is no function's attribute
    entry = await add_entry(hass, expires_at=2**33)
    implementation = entry.runtime_data.implementation
    assert adoption_of(implementation)
    assert not _is_original(implementation)
    ours, manager = entry_of(hass), hass.config_entries
    if how == "option":
        manager.async_update_entry(ours, options={CONF_ADOPT: ADOPT_NONE})
    elif how == "not chosen":
        options = {CONF_ADOPT: ADOPT_CHOSEN, CONF_ADOPTED: ["other"]}
        manager.async_update_entry(ours, options=options)
    elif how == "unloaded":
        await manager.async_unload(ours.entry_id)
    elif how == "disabled":
        await manager.async_set_disabled_by(ours.entry_id, ConfigEntryDisabler.USER)
    else:
        await manager.async_remove(ours.entry_id)
    assert _is_original(implementation)
    assert async_get_adoptions(hass) == []
    if how != "not chosen":
        assert _providers(hass)[PEER] is real
    assert _is_original(await get_implementation(hass))
    expire(hass, entry)
    await entry.runtime_data.async_ensure_token_valid()
    assert len(refreshes(server)) == 1
    # What it was is reloaded with a new secret, as ever.
    await change_secret(hass)
    assert hass.data["set_up"] == [entry.entry_id] * 2
    assert vars(entry.runtime_data.implementation)["client_secret"] == NEW_SECRET


@pytest.mark.usefixtures("adopted")
async def test_deleted(hass: HomeAssistant) -> None:
    """Of an application credential that was deleted, nothing is reported any more."""
    await get_implementation(hass)
    assert [one.outcome for one in async_get_adoptions(hass)] == ["adopted"]
    await hass.data[DATA_COMPONENT].async_delete_item(AUTH_DOMAIN)
    assert async_get_adoptions(hass) == []


@pytest.mark.usefixtures("adopted")
async def test_again(hass: HomeAssistant) -> None:
    """What was released is adopted again, once it is wanted; its entry is reloaded to be sure."""
    entry = await add_entry(hass, expires_at=2**33)
    implementation = entry.runtime_data.implementation
    ours = entry_of(hass)
    await hass.config_entries.async_reload(ours.entry_id)
    assert adoption_of(implementation)
    hass.config_entries.async_update_entry(ours, options={CONF_ADOPT: ADOPT_NONE})
    assert adoption_of(implementation) is None
    hass.config_entries.async_update_entry(ours, options={CONF_ADOPT: ADOPT_ALL})
    assert adoption_of(implementation)
    assert async_get_adoptions(hass) == [ADOPTED]
    await change_secret(hass)
    assert hass.data["set_up"] == [entry.entry_id] * 2


@pytest.mark.usefixtures("adopted")
async def test_released_in_flight(hass: HomeAssistant, server: RecordingServer) -> None:
    """A request in flight while it is released ends as Home Assistant would have it."""
    accept(hass)
    implementation = await get_implementation(hass)
    refused = refuse()

    async def respond(request: web.Request) -> web.StreamResponse:
        hass.config_entries.async_update_entry(entry_of(hass), options={})
        return await refused(request)

    server.respond = respond
    with pytest.raises(OAuth2TokenRequestReauthError):
        await implementation.async_refresh_token(token())


@pytest.mark.usefixtures("adopted")
async def test_released_before_it_begins(hass: HomeAssistant, server: RecordingServer) -> None:
    """A refresh that waits to be begun while it is released is Home Assistant's own."""
    accept(hass)
    server.respond = refuse()
    implementation = await get_implementation(hass)
    waiting = hass.async_create_task(implementation.async_refresh_token(token()))
    hass.config_entries.async_update_entry(entry_of(hass), options={})
    with pytest.raises(OAuth2TokenRequestReauthError):
        await waiting


@pytest.mark.usefixtures("adopted")
async def test_wrapped_by_another(hass: HomeAssistant) -> None:
    """Where somebody has wrapped the provider after us, that stays, and ours does nothing."""
    ours = _providers(hass)[PEER]

    async def other(hass: HomeAssistant, domain: str) -> list[AbstractOAuth2Implementation]:
        return await ours(hass, domain)

    async_add_implementation_provider(hass, PEER, other)
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    assert _providers(hass)[PEER] is other
    assert _is_original(await get_implementation(hass))
    # Set up again, one of the two is enough.
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    implementation = await get_implementation(hass)
    assert adoption_of(implementation)
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    assert _is_original(implementation)


class TestFallingBack:
    """Whatever fails here, the integration has what it would have had."""

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("broken", ["adopt", "async_get_options", "_item_of", "Adoption"])
    async def test_ours_is_broken(
        self, hass: HomeAssistant, caplog: pytest.LogCaptureFixture, broken: str
    ) -> None:
        """What theirs has returned is returned as it is; one line is logged, however often."""
        with patch.object(adopting_provider, broken, side_effect=KeyError(SENTINEL)):
            for _ in range(3):
                assert _is_original(await get_implementation(hass))
            (report,) = async_get_adoptions(hass)
        assert (report.domain, report.outcome, report.in_use) == ("acme", "failed", 0)
        assert caplog.text.count("is used as without") == 1
        assert "KeyError" in caplog.text
        # It works again when it works.
        assert adoption_of(await get_implementation(hass))

    @pytest.mark.usefixtures("adopted")
    async def test_half_way(self, hass: HomeAssistant) -> None:
        """An implementation that fails while it is adopted is released; the others are adopted."""
        await add_item(hass, "second")
        real = adopt_implementation

        def adopt_and_fail(
            implementation: LocalOAuth2Implementation,
            adoption: Adoption,
            classes: dict[type, type[LocalOAuth2Implementation]],
        ) -> None:
            real(implementation, adoption, classes)
            if implementation.client_id == "second":
                raise RuntimeError

        with patch.object(adopting_provider, "adopt", adopt_and_fail):
            found = await async_get_implementations(hass, "acme")
        assert adoption_of(found[AUTH_DOMAIN])
        assert not any(DOMAIN in cls.__module__ for cls in type(found["acme_second"]).__mro__)
        assert [one.outcome for one in async_get_adoptions(hass)] == ["adopted", "failed"]

    @pytest.mark.usefixtures("setup")
    async def test_theirs_raises(
        self, hass: HomeAssistant, install: Install, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What theirs raises is raised as it is, and is nothing of ours."""
        platform = """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError

async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError("away")
"""
        install("acme", application_credentials=platform)
        assert await async_setup_component(hass, PEER, {})
        await adopt(hass)
        await add_item(hass)
        with pytest.raises(ImplementationUnavailableError, match="away"):
            await async_get_implementations(hass, "acme")
        assert "is used as without" not in caplog.text

    @pytest.mark.usefixtures("acme", "setup")
    async def test_unknown_registry(
        self, hass: HomeAssistant, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A registry of providers that is not as it is known is left alone, and told once."""
        assert await async_setup_component(hass, PEER, {})
        await add_item(hass)
        data: dict[object, object] = hass.data  # type: ignore[assignment]  # what it has is another
        providers = data[DATA_PROVIDERS]
        data[DATA_PROVIDERS] = ()
        await adopt(hass)
        await hass.config_entries.async_reload(entry_of(hass).entry_id)
        data[DATA_PROVIDERS] = providers
        assert caplog.text.count("another registry of OAuth2 providers") == 1
        assert "registry of OAuth2 providers" in async_get_unknown(hass)
        assert _is_original(await get_implementation(hass))

    @pytest.mark.usefixtures("adopted")
    @pytest.mark.parametrize("name", ["_token_request", "_async_refresh_token"])
    async def test_other_token_request(self, hass: HomeAssistant, name: str) -> None:
        """Where Home Assistant makes token requests in another way, nothing is adopted."""

        async def other(self: object, data: dict[str, str], more: str) -> None:
            """Take more than is known."""

        with patch.object(LocalOAuth2Implementation, name, other):
            assert _is_original(await get_implementation(hass))
        assert "way to make token requests" in async_get_unknown(hass)
        assert async_get_adoptions(hass) == [
            ADOPTED._replace(outcome="unknown_attributes", in_use=0)
        ]


class TestLeftAlone:
    """Implementations that are left as they are, and why."""

    @pytest.fixture(autouse=True)
    async def our_entry(self, hass: HomeAssistant, setup: None) -> None:
        """Adopt all."""
        assert await async_setup_component(hass, PEER, {})
        await adopt(hass)

    async def _outcome(
        self, hass: HomeAssistant, install: Install, server: RecordingServer, cls: str, make: str
    ) -> tuple[AbstractOAuth2Implementation, list[AdoptionReport]]:
        install("acme", application_credentials=own_class(server, cls, make))
        await add_item(hass)
        (implementation,) = (await async_get_implementations(hass, "acme")).values()
        assert adoption_of(implementation) is None
        assert not any("adopting" in cls.__module__ for cls in type(implementation).__mro__)
        return implementation, async_get_adoptions(hass)

    @pytest.mark.parametrize(
        ("outcome", "make"),
        [
            ("other_client", OTHER),
            ("other_client", LOCAL.replace("credential.client_secret", '"built-in"')),
            ("other_client", LOCAL.replace("credential.client_id", '""')),
            ("unknown_item", LOCAL.replace("auth_domain", '"else"')),
            (
                "unknown_item",
                LOCAL.replace("auth_domain", '"acme"').replace("credential.client_id", '"x"'),
            ),
        ],
    )
    async def test_other_client(
        self,
        hass: HomeAssistant,
        install: Install,
        server: RecordingServer,
        outcome: str,
        make: str,
    ) -> None:
        """One whose client is not the item's, or whose item is not known, is left alone."""
        _, (report,) = await self._outcome(hass, install, server, "", make)
        assert (report.domain, report.outcome, report.in_use) == ("acme", outcome, 0)

    async def test_not_local(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """One of another kind than Home Assistant's own is left alone."""
        cls = """
class Implementation(AbstractOAuth2Implementation):
    name = domain = "acme_client_id"

    async def async_generate_authorize_url(self, flow_id): ...
    async def async_resolve_external_data(self, external_data): ...
    async def _async_refresh_token(self, token): ...
"""
        _, reports = await self._outcome(hass, install, server, cls, "Implementation()")
        assert reports == [ADOPTED._replace(outcome="not_local", in_use=0)]

    @pytest.mark.parametrize(
        ("outcome", "body"),
        [
            ("unknown_class", "def __init_subclass__(cls): raise TypeError"),
            ("failed", "def __init_subclass__(cls): raise RuntimeError"),
            ("unknown_attributes", "token_url = property(lambda self: '', lambda self, url: None)"),
        ],
    )
    async def test_unknown(
        self,
        hass: HomeAssistant,
        install: Install,
        server: RecordingServer,
        outcome: str,
        body: str,
    ) -> None:
        """One whose class or attributes are not as they are known is left alone."""
        cls = f"class Implementation(AuthImplementation):\n    {body}"
        implementation, reports = await self._outcome(hass, install, server, cls, MAKE)
        assert reports == [ADOPTED._replace(outcome=outcome, in_use=0)]
        assert not any(DOMAIN in name for name in vars(implementation))

    async def test_read_only(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """One that lets nobody set its attributes is adopted, and released, all the same."""
        cls = """class Implementation(AuthImplementation):
    def __setattr__(self, name, value):
        if "token_url" in vars(self) and name != "_name":
            raise AttributeError(name)
        super().__setattr__(name, value)
"""
        install("acme", application_credentials=own_class(server, cls))
        await add_item(hass)
        implementation = await get_implementation(hass)
        assert adoption_of(implementation)
        hass.config_entries.async_update_entry(entry_of(hass), options={})
        assert type(implementation).__mro__[1].__name__ == "AuthImplementation"

    async def test_own_name(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """One that names the integration, and has an item's client, is that item's."""
        platform = own_class(server, "", LOCAL.replace("auth_domain", '"acme"'))
        install("acme", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)
        await add_item(hass)
        entry = await add_entry(hass, "acme")
        assert entry.state is ConfigEntryState.LOADED
        adoption = adoption_of(entry.runtime_data.implementation)
        assert adoption
        assert adoption.item_id == AUTH_DOMAIN
        assert async_get_adoptions(hass) == [ADOPTED._replace(auth_domain="acme")]

    async def test_public_client(
        self, hass: HomeAssistant, install: Install, server: RecordingServer
    ) -> None:
        """One that leaves out the secret, as public clients do, stays without it."""
        make = LOCAL.replace("credential.client_secret", '""')
        install("acme", application_credentials=own_class(server, "", make))
        await add_item(hass)
        implementation = await get_implementation(hass)
        assert adoption_of(implementation)
        await change_secret(hass)
        assert implementation.client_secret == ""


class TestNewSecret:
    """A new secret reaches what is in use."""

    @pytest.mark.usefixtures("adopted")
    async def test_live(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """An entry goes on with the new secret, and is not reloaded."""
        entry = await add_entry(hass)
        assert entry.state is ConfigEntryState.LOADED
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id]
        expire(hass, entry)
        await entry.runtime_data.async_ensure_token_valid()
        assert [one.body["client_secret"] for one in refreshes(server)] == [SENTINEL, NEW_SECRET]

    @pytest.mark.usefixtures("adopted")
    async def test_read_elsewhere(self, hass: HomeAssistant) -> None:
        """Where something else than a token request has read the secret, the entry is reloaded."""
        entry = await add_entry(hass)
        assert entry.runtime_data.implementation.client_secret == SENTINEL
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 2

    @pytest.mark.usefixtures("adopted")
    async def test_failed(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """An entry that has failed is set up again, as ever."""
        accept(hass)
        working, server.respond = server.respond, refuse()
        entry = await add_entry(hass)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        server.respond = working
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 2

    @pytest.mark.usefixtures("setup")
    @pytest.mark.parametrize(
        ("body", "is_reloaded"),
        [
            ("pass", False),
            ("def __init__(self, *args):\n        super().__init__(*args)", True),
            (
                """async def _token_request(self, data):
        return await super()._token_request({**data, "more": self.client_secret})
""",
                False,
            ),
        ],
    )
    async def test_own_class(
        self,
        hass: HomeAssistant,
        install: Install,
        server: RecordingServer,
        body: str,
        is_reloaded: bool,
    ) -> None:
        """A constructor that has had the secret may keep it: the entry is reloaded.

        Who reads it for a token request reads it again for the next one.
        """
        assert await async_setup_component(hass, PEER, {})
        await adopt(hass)
        cls = f"class Implementation(AuthImplementation):\n    {body}"
        platform = own_class(server, cls)
        install("acme", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)
        await add_item(hass)
        entry = await add_entry(hass)
        await change_secret(hass)
        assert len(hass.data["set_up"]) == 1 + is_reloaded
        assert vars(entry.runtime_data.implementation)["client_secret"] == NEW_SECRET

    @pytest.mark.usefixtures("acme", "setup")
    async def test_set_up_before(self, hass: HomeAssistant) -> None:
        """An entry that was set up before us is reloaded, though its credential is adopted else."""
        assert await async_setup_component(hass, PEER, {})
        await add_item(hass)
        entry = await add_entry(hass, expires_at=2**33)
        await adopt(hass)
        held = await get_implementation(hass)
        assert adoption_of(held)
        assert adoption_of(entry.runtime_data.implementation) is None
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 2
        assert vars(held)["client_secret"] == NEW_SECRET

    @pytest.mark.usefixtures("acme", "setup")
    async def test_asked_in_a_poll(self, hass: HomeAssistant) -> None:
        """What an entry that was set up before us asks for later is not what it holds."""
        assert await async_setup_component(hass, PEER, {})
        await add_item(hass)
        entry = await add_entry(hass, expires_at=2**33)
        await adopt(hass)
        reset = current_entry.set(entry)
        held = await get_implementation(hass)
        current_entry.reset(reset)
        assert adoption_of(held)
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 2

    @pytest.mark.usefixtures("adopted")
    async def test_set_up_again_without(self, hass: HomeAssistant) -> None:
        """An entry that was set up again and could not be adopted then is reloaded."""
        entry = await add_entry(hass, expires_at=2**33)
        held = entry.runtime_data.implementation
        with patch.object(adopting_provider, "adopt", side_effect=KeyError):
            await hass.config_entries.async_reload(entry.entry_id)
        assert adoption_of(held)
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 3

    @pytest.mark.usefixtures("adopted")
    async def test_another_was_adopted(self, hass: HomeAssistant) -> None:
        """An entry whose own implementation could not be adopted is reloaded."""
        await add_item(hass, "second")

        def adopt_second(
            implementation: LocalOAuth2Implementation,
            adoption: Adoption,
            classes: dict[type, type[LocalOAuth2Implementation]],
        ) -> None:
            if implementation.client_id != "second":
                raise RuntimeError
            adopt_implementation(implementation, adoption, classes)

        with patch.object(adopting_provider, "adopt", adopt_second):
            entry = await add_entry(hass, expires_at=2**33)
        held = await async_get_implementations(hass, "acme")
        assert adoption_of(held[AUTH_DOMAIN])
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 2

    @pytest.mark.usefixtures("adopted")
    async def test_other_item(self, hass: HomeAssistant) -> None:
        """Another item of the same client has a secret of its own."""
        implementation = await get_implementation(hass)
        collection = hass.data["application_credentials"]
        item = {**collection.data[AUTH_DOMAIN], "id": "other", "client_secret": NEW_SECRET}
        await collection.notify_changes([CollectionChange("added", "other", item)])
        assert implementation.client_secret == SENTINEL

    @pytest.mark.usefixtures("adopted")
    async def test_not_held(self, hass: HomeAssistant) -> None:
        """An entry that holds no implementation any more is reloaded: it may hold anything."""
        entry = await add_entry(hass, expires_at=2**33)
        entry.runtime_data = None
        gc.collect()
        assert async_get_adoptions(hass) == [ADOPTED._replace(in_use=0)]
        await change_secret(hass)
        assert hass.data["set_up"] == [entry.entry_id] * 2

    @pytest.mark.usefixtures("adopted")
    async def test_other_client_id(self, hass: HomeAssistant) -> None:
        """What is in use keeps its client where another one is entered: its tokens are its own."""
        implementation = await get_implementation(hass)
        collection = hass.data["application_credentials"]
        item = {**collection.data[AUTH_DOMAIN], "client_id": "new", "client_secret": NEW_SECRET}
        await collection.notify_changes([CollectionChange("updated", AUTH_DOMAIN, item)])
        removed = CollectionChange("removed", AUTH_DOMAIN, item)
        await collection.notify_changes([removed])
        broken = CollectionChange("added", AUTH_DOMAIN, {"id": AUTH_DOMAIN})
        await collection.notify_changes([broken])
        assert (implementation.client_id, implementation.client_secret) == ("client-id", SENTINEL)
