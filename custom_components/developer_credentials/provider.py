"""The provider: what Home Assistant asks for the implementations of an integration.

It asks when a flow starts, and when a config entry is set up. Ours are made of the server that the
platform declares and of each credential of the user.
"""

from collections.abc import Container
from functools import partial
from types import ModuleType
from typing import Final
from weakref import ref

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
    LocalOAuth2Implementation,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import async_get_integration
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .core_credentials.peer_platform import async_learn_in_context
from .core_credentials.taking_over import async_take_over
from .credentials.entry_tokens import async_keep_token
from .credentials.lost_platforms import async_check_platform
from .credentials.rejection import async_note_answer, async_withdraw_outdated
from .credentials.store import (
    Key,
    async_adopt_titles,
    async_get_all_stored,
    async_get_by_key,
    async_get_entry,
    async_get_stored,
    async_get_stored_by_key,
    async_get_users_of,
)
from .credentials.stored_credential import StoredCredential
from .credentials.yaml_import import async_import_from_platform
from .flows.credential_request import async_offer_credential, async_withdraw_offers
from .flows.credential_subject import OwnCredential
from .oauth2.client import DeveloperCredential
from .oauth2.errors import TokenRequestError
from .oauth2.implementation import NO_SERVER, AuthImplementation
from .oauth2.server import AuthorizationServer
from .platform import (
    PlatformError,
    async_get_platform,
    async_get_server,
    async_make_implementation,
    async_report_problem,
    has_client,
)

# How many implementations may have gone before the list of those that are held is tidied.
_FEW: Final = 8

_DATA_ISSUED: HassKey[dict[Key, _Issued]] = HassKey(f"{DOMAIN}_issued")


class _Issued:
    """The implementations of a credential that integrations hold, and the one that they come from.

    Each who asks is given one of their own: what a login leaves in it belongs to that login.

    Attributes:
        server: The server, as it was declared last.
    """

    def __init__(self) -> None:
        """Initialize with none."""
        self.server: AuthorizationServer = NO_SERVER
        self._credential: DeveloperCredential | None = None
        self._model: AuthImplementation | None = None
        self._held: list[ref[LocalOAuth2Implementation]] = []
        self._tidy_at = 0

    def copy(
        self, hass: HomeAssistant, stored: StoredCredential, server: AuthorizationServer
    ) -> AuthImplementation:
        """Return another implementation for a credential, as it is now, at a declared server."""
        model = self._model
        if (
            model is None
            or self._credential is not stored.named
            or (self.server is not server and self.server != server)
        ):
            model = AuthImplementation(hass, stored.auth_domain, stored.named, server)
            _async_bind(hass, stored.key, model, follows=True)
            self._model, self._credential, self.server = model, stored.named, server
        implementation = model.copy()
        self._hold(implementation)
        return implementation

    def add(self, implementation: LocalOAuth2Implementation) -> None:
        """Remember an implementation, which may be known, for as long as somebody holds it."""
        if not any(one() is implementation for one in self._held):
            self._hold(implementation)

    def _hold(self, implementation: LocalOAuth2Implementation) -> None:
        if len(self._held) >= self._tidy_at:
            self._held = [one for one in self._held if one() is not None]
            self._tidy_at = 2 * len(self._held) + _FEW
        self._held.append(ref(implementation))

    def forget(self) -> None:
        """Forget the credential, and its server, which may be one of its own."""
        self._model, self._credential, self.server = None, None, NO_SERVER

    @property
    def held(self) -> list[LocalOAuth2Implementation]:
        """Those that somebody holds."""
        return [held for one in self._held if (held := one()) is not None]


async def async_provide_implementations(
    hass: HomeAssistant, domain: str
) -> list[AbstractOAuth2Implementation]:
    """Return an implementation for each credential of an integration, oldest first.

    Raises:
        ImplementationUnavailableError: The platform says that its server cannot be used now; or it
            is broken, and the user has a credential for it.
    """
    implementations: list[AbstractOAuth2Implementation] = []
    problem: PlatformError | None = None
    try:
        if (platform := await async_get_platform(hass, domain)) is None:
            await async_check_platform(hass, domain)
            await async_learn_in_context(hass, domain)
            return []
        await async_take_over(hass, domain)
        try:
            await async_import_from_platform(hass, domain, platform)
        except PlatformError as err:
            # The stored credentials are as good as before.
            problem = err
        implementations, of_one = await _async_make_implementations(hass, domain, platform)
        problem = of_one or problem
    except PlatformError as err:
        problem = err
    async_report_problem(hass, domain, problem)
    if problem and not implementations and async_get_stored(hass, domain):
        # Entries try again: there is a credential for them, and no login could help.
        raise ImplementationUnavailableError(str(problem)) from problem
    return implementations


class _Watch:
    """Acts on what has changed of the credentials since their config entry changed last.

    Home Assistant signals each change of each entry's state, too, and each token that an
    integration stores: what is not of the credentials costs nothing.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with what is there."""
        self._hass = hass
        entry = async_get_entry(hass)
        self._is_disabled = entry is not None and entry.disabled_by is not None
        # By key; what has changed of a credential makes another value of it.
        self._known: dict[Key, StoredCredential] = {}
        async_adopt_titles(hass)

    @callback
    def entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Act on a change of a config entry."""
        if entry.domain != DOMAIN:
            if change is ConfigEntryChange.REMOVED:
                async_withdraw_outdated(self._hass)
            return
        # What changed may be an ignored card of ours, which holds no credentials.
        async_adopt_titles(self._hass)
        now = async_get_all_stored(self._hass)
        self._async_see_enabled(async_get_entry(self._hass))
        changed = [one for key, one in now.items() if one is not self._known.get(key)]
        if changed or len(now) != len(self._known):
            self._known = now
            async_withdraw_offers(self._hass)
            async_withdraw_outdated(self._hass)
            _async_forget(self._hass, now)
            for stored in changed:
                _async_give_to_all(self._hass, stored)

    @callback
    def _async_see_enabled(self, entry: ConfigEntry | None) -> None:
        """Reload the integrations' entries that failed while ours was disabled."""
        is_disabled = entry is not None and entry.disabled_by is not None
        was_disabled, self._is_disabled = self._is_disabled, is_disabled
        if not was_disabled or self._is_disabled:
            return
        for key in async_get_all_stored(self._hass):
            for user in async_get_users_of(self._hass, *key):
                if user.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}:
                    self._hass.config_entries.async_schedule_reload(user.entry_id)


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Act on each change of the credentials from now on."""
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, _Watch(hass).entry_changed)


@callback
def _async_issued(hass: HomeAssistant, key: Key) -> _Issued:
    """Return the implementations of a credential."""
    every = hass.data.setdefault(_DATA_ISSUED, {})
    if (issued := every.get(key)) is None:
        issued = every[key] = _Issued()
    return issued


@callback
def _async_forget(hass: HomeAssistant, now: Container[Key]) -> None:
    """Forget the credentials that are gone.

    Who holds an implementation of one has it back when it is entered again.
    """
    every = hass.data.get(_DATA_ISSUED, {})
    for key in [key for key in every if key not in now]:
        every[key].forget()
        if not every[key].held:
            del every[key]


@callback
def _async_give_to_all(hass: HomeAssistant, stored: StoredCredential) -> None:
    """Give the implementations in use of a credential what it is now."""
    credential, moved = stored.named, False
    if (issued := hass.data.get(_DATA_ISSUED, {}).get(stored.key)) is None:
        return
    issued.forget()
    for implementation in issued.held:
        if isinstance(implementation, AuthImplementation):
            moved |= implementation.credential.variables != credential.variables
        try:
            _async_give(implementation, credential)
        except Exception as err:  # noqa: BLE001 - a platform's own may do anything; others go on
            LOGGER.error(
                "An implementation of %s does not take the changed credential: %s",
                stored.domain,
                type(err).__name__,
            )
    if moved:
        hass.async_create_task(_async_give_server(hass, stored.key), f"{DOMAIN} another server")


async def _async_give_server(hass: HomeAssistant, key: Key) -> None:
    """Give the implementations in use of a credential the server that it is for now.

    What is declared for all has followed by itself; a server may also be computed for each.
    """
    integration = await async_get_integration(hass, key[0])
    subentry, stored = async_get_by_key(hass, key), async_get_stored_by_key(hass, key)
    if subentry and stored:
        login = await OwnCredential(hass, integration, subentry).async_get_login(stored.named)
        for implementation in _async_ours(hass, key):
            if login:
                implementation.authorization_server = login.server


@callback
def _async_ours(hass: HomeAssistant, key: Key) -> list[AuthImplementation]:
    """Return the implementations in use of a credential that are told of its server."""
    issued = hass.data.get(_DATA_ISSUED, {}).get(key)
    held = issued.held if issued else []
    return [one for one in held if isinstance(one, AuthImplementation)]


@callback
def _async_give(implementation: LocalOAuth2Implementation, credential: DeveloperCredential) -> None:
    """Give an implementation a credential, in one step."""
    if isinstance(implementation, AuthImplementation):
        implementation.credential = credential
    else:
        implementation.client_id = credential.client_id
        implementation.client_secret = credential.client_secret


@callback
def _async_bind(
    hass: HomeAssistant, key: Key, implementation: AuthImplementation, *, follows: bool
) -> None:
    """Hear what an implementation is told, where it follows the credential, and keep its tokens."""
    implementation.service_domain = key[0]
    implementation.keep_token = partial(async_keep_token, hass, key)
    if follows:
        implementation.observer = partial(_async_observe, hass, key)


@callback
def _async_note_use(
    hass: HomeAssistant, stored: StoredCredential, implementation: AbstractOAuth2Implementation
) -> None:
    """Remember a platform's own implementation for as long as somebody uses it.

    One with a client that the platform brings itself keeps it, and tells nothing of the user's.

    Args:
        hass: Home Assistant.
        stored: The credential that it was made with.
        implementation: The implementation.

    Raises:
        PlatformError: It cannot be given a credential.
    """
    follows = has_client(implementation, stored.named)
    if isinstance(implementation, AuthImplementation):
        _async_bind(hass, stored.key, implementation, follows=follows)
    if isinstance(implementation, LocalOAuth2Implementation) and follows:
        # The credential may have changed while the platform made the implementation.
        now = async_get_stored_by_key(hass, stored.key) or stored
        try:
            _async_give(implementation, now.named)
        except Exception as err:
            detail = f"async_get_auth_implementation, {type(err).__name__}"
            raise PlatformError("function_raised", detail) from err
        _async_issued(hass, stored.key).add(implementation)


@callback
def _async_observe(hass: HomeAssistant, key: Key, error: TokenRequestError | None) -> None:
    """Note what a token request came to."""
    async_note_answer(hass, key, error)
    if error and any(one.authorization_server is NO_SERVER for one in _async_ours(hass, key)):
        # It was not known when the implementation was made.
        hass.async_create_task(_async_give_server(hass, key), f"{DOMAIN} server")


async def _async_make_implementations(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> tuple[list[AbstractOAuth2Implementation], PlatformError | None]:
    """Return an implementation for each credential; the platform is asked only where one exists.

    What is wrong with the platform, though not for all credentials, is returned as well.
    """
    entry, credentials = async_get_entry(hass), async_get_stored(hass, domain)
    if entry and entry.disabled_by:
        if credentials:
            # Entries try again: a login could not help.
            raise ImplementationUnavailableError(f"{entry.title} is disabled")
        return [], None
    if not credentials:
        async_offer_credential(hass, domain)
        return [], None
    if hasattr(platform, "async_get_auth_implementation"):
        return [await _async_make_own(hass, platform, one) for one in credentials], None
    if hasattr(platform, "async_get_authorization_server_for"):
        return await _async_make_for_each(hass, domain, platform)
    server = await async_get_server(hass, platform)
    implementations: list[AbstractOAuth2Implementation] = []
    for one in async_get_stored(hass, domain):
        issued = _async_issued(hass, one.key)
        implementations.append(issued.copy(hass, one, server))
        # Of an equal one that is known, it is seen at once that the others are at it.
        server = issued.server
    return implementations, None


async def _async_make_own(
    hass: HomeAssistant, platform: ModuleType, stored: StoredCredential
) -> AbstractOAuth2Implementation:
    """Return what a platform makes for a credential."""
    implementation = await async_make_implementation(
        hass, platform, stored.auth_domain, stored.named
    )
    _async_note_use(hass, stored, implementation)
    return implementation


async def _async_make_for_each(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> tuple[list[AbstractOAuth2Implementation], PlatformError | None]:
    """Return an implementation for each credential at a server of its own.

    One that cannot be had does not concern the others; what is wrong with the platform then is
    returned as well.
    """
    servers: dict[Key, AuthorizationServer] = {}
    failures: list[PlatformError | ImplementationUnavailableError] = []
    for one in async_get_stored(hass, domain):
        try:
            servers[one.key] = await async_get_server(hass, platform, one.named)
        except (ImplementationUnavailableError, PlatformError) as err:
            failures.append(err)
            servers[one.key] = NO_SERVER
    if len(failures) == len(servers):
        raise failures[0]
    defect = next((one for one in failures if isinstance(one, PlatformError)), None)
    there = [one for one in async_get_stored(hass, domain) if one.key in servers]
    return [_async_issued(hass, one.key).copy(hass, one, servers[one.key]) for one in there], defect
