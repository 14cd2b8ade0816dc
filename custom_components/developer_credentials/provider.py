"""The provider: what Home Assistant asks for the implementations of an integration.

It asks when a flow starts, and when a config entry is set up. Ours are made of the server that the
platform declares and of each credential of the user.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from types import ModuleType
from weakref import WeakValueDictionary

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.const import CONF_DOMAIN
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
from .core_credentials.options import async_get_options
from .core_credentials.peer_platform import async_learn_in_context
from .core_credentials.taking_over import async_take_over
from .credentials.entry_tokens import async_keep_token
from .credentials.lost_platforms import async_check_platform
from .credentials.rejection import async_note_answer, async_withdraw_outdated
from .credentials.store import (
    CONF_AUTH_DOMAIN,
    Key,
    async_adopt_titles,
    async_get_all_subentries,
    async_get_entry,
    async_get_subentries,
    async_get_users,
    key_of,
)
from .credentials.stored_credential import named_credential_of
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

# By credential: the implementations that integrations hold, each by its identity, since those of a
# platform may be equal or have no hash.
type _InUse = WeakValueDictionary[int, LocalOAuth2Implementation]
_DATA_IN_USE: HassKey[dict[Key, _InUse]] = HassKey(f"{DOMAIN}_in_use")


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
            if async_get_options(hass).look_after:
                await async_learn_in_context(hass, domain)
            return []
        await async_take_over(hass, await async_get_integration(hass, domain))
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
    if problem and not implementations and async_get_subentries(hass, domain):
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
        # By subentry: its title, which has the name, and its data, which Home Assistant replaces.
        self._known: dict[str, tuple[str, Mapping[str, object]]] = {}
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
        subentries = async_get_all_subentries(self._hass).values()
        self._async_see_enabled(async_get_entry(self._hass), subentries)
        changed = [one for one in subentries if self._is_changed(one)]
        if changed or len(subentries) != len(self._known):
            self._known = {one.subentry_id: (one.title, one.data) for one in subentries}
            async_withdraw_offers(self._hass)
            async_withdraw_outdated(self._hass)
            for subentry in changed:
                _async_give_to_all(self._hass, subentry)

    def _is_changed(self, subentry: ConfigSubentry) -> bool:
        title, data = self._known.get(subentry.subentry_id, ("", {}))
        return data is not subentry.data or title != subentry.title

    @callback
    def _async_see_enabled(
        self, entry: ConfigEntry | None, subentries: Iterable[ConfigSubentry]
    ) -> None:
        """Reload the integrations' entries that failed while ours was disabled."""
        is_disabled = entry is not None and entry.disabled_by is not None
        was_disabled, self._is_disabled = self._is_disabled, is_disabled
        if not was_disabled or self._is_disabled:
            return
        for subentry in subentries:
            for user in async_get_users(self._hass, subentry):
                if user.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}:
                    self._hass.config_entries.async_schedule_reload(user.entry_id)


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Act on each change of the credentials from now on."""
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, _Watch(hass).entry_changed)


@callback
def _async_in_use(hass: HomeAssistant, subentry: ConfigSubentry) -> list[LocalOAuth2Implementation]:
    """Return the implementations of a credential that somebody holds."""
    in_use = hass.data.get(_DATA_IN_USE, {}).get(key_of(subentry))
    return list(in_use.values()) if in_use else []


@callback
def _async_give_to_all(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Give the implementations in use of a credential what it is now."""
    credential, moved = named_credential_of(subentry), False
    for implementation in _async_in_use(hass, subentry):
        if isinstance(implementation, AuthImplementation):
            moved |= implementation.credential.variables != credential.variables
        try:
            _async_give(implementation, credential)
        except Exception as err:  # noqa: BLE001 - a platform's own may do anything; others go on
            LOGGER.error(
                "An implementation of %s does not take the changed credential: %s",
                key_of(subentry)[0],
                type(err).__name__,
            )
    if moved:
        hass.async_create_task(_async_give_server(hass, subentry), f"{DOMAIN} another server")


async def _async_give_server(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Give the implementations in use of a credential the server that it is for now.

    What is declared for all has followed by itself; a server may also be computed for each.
    """
    integration = await async_get_integration(hass, subentry.data[CONF_DOMAIN])
    credential = named_credential_of(subentry)
    login = await OwnCredential(hass, integration, subentry).async_get_login(credential)
    for implementation in _async_ours(hass, subentry):
        if login:
            implementation.authorization_server = login.server


@callback
def _async_ours(hass: HomeAssistant, subentry: ConfigSubentry) -> list[AuthImplementation]:
    """Return the implementations in use of a credential that are told of its server."""
    in_use = _async_in_use(hass, subentry)
    return [one for one in in_use if isinstance(one, AuthImplementation)]


@callback
def _async_give(implementation: LocalOAuth2Implementation, credential: DeveloperCredential) -> None:
    """Give an implementation a credential, in one step."""
    if isinstance(implementation, AuthImplementation):
        implementation.credential = credential
    else:
        implementation.client_id = credential.client_id
        implementation.client_secret = credential.client_secret


@callback
def _async_note_use(
    hass: HomeAssistant,
    subentry: ConfigSubentry,
    implementation: AbstractOAuth2Implementation,
    credential: DeveloperCredential,
) -> None:
    """Remember an implementation for as long as somebody uses it, and hear what it is told.

    One with a client that the platform brings itself keeps it, and tells nothing of the user's.

    Args:
        hass: Home Assistant.
        subentry: The credential that it is for.
        implementation: The implementation.
        credential: The credential that it was made with.

    Raises:
        PlatformError: It is a platform's own, and cannot be given a credential.
    """
    key = key_of(subentry)
    follows = has_client(implementation, credential)
    if isinstance(implementation, AuthImplementation):
        implementation.service_domain = key[0]
        implementation.keep_token = partial(async_keep_token, hass, key)
        if follows:
            implementation.observer = partial(_async_observe, hass, subentry)
    if isinstance(implementation, LocalOAuth2Implementation) and follows:
        try:
            # The credential may have changed while the platform made the implementation.
            _async_give(implementation, named_credential_of(subentry))
        except Exception as err:
            detail = f"async_get_auth_implementation, {type(err).__name__}"
            raise PlatformError("function_raised", detail) from err
        in_use = hass.data.setdefault(_DATA_IN_USE, {}).setdefault(key, WeakValueDictionary())
        in_use[id(implementation)] = implementation


@callback
def _async_observe(
    hass: HomeAssistant, subentry: ConfigSubentry, error: TokenRequestError | None
) -> None:
    """Note what a token request came to."""
    async_note_answer(hass, key_of(subentry), error)
    if any(one.authorization_server is NO_SERVER for one in _async_ours(hass, subentry)):
        # It was not known when the implementation was made.
        hass.async_create_task(_async_give_server(hass, subentry), f"{DOMAIN} server")


async def _async_make_implementations(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> tuple[list[AbstractOAuth2Implementation], PlatformError | None]:
    """Return an implementation for each credential; the platform is asked only where one exists.

    Where the server is computed for each, one that cannot be had does not concern the others; what
    is wrong with the platform then is returned as well.
    """
    entry = async_get_entry(hass)
    subentries = async_get_subentries(hass, domain)
    if entry and entry.disabled_by:
        if subentries:
            # Entries try again: a login could not help.
            raise ImplementationUnavailableError(f"{entry.title} is disabled")
        return [], None
    if not subentries:
        async_offer_credential(hass, domain)
        return [], None
    server: AuthorizationServer | None = None
    failures: list[PlatformError | ImplementationUnavailableError] = []
    implementations: list[AbstractOAuth2Implementation] = []
    for subentry in subentries:
        auth_domain, credential = subentry.data[CONF_AUTH_DOMAIN], named_credential_of(subentry)
        implementation: AbstractOAuth2Implementation
        if hasattr(platform, "async_get_auth_implementation"):
            implementation = await async_make_implementation(
                hass, platform, auth_domain, credential
            )
        elif hasattr(platform, "async_get_authorization_server_for"):
            try:
                server = await async_get_server(hass, platform, credential)
            except (ImplementationUnavailableError, PlatformError) as err:
                failures.append(err)
                server = NO_SERVER
            implementation = AuthImplementation(hass, auth_domain, credential, server)
        else:
            server = server or await async_get_server(hass, platform)
            implementation = AuthImplementation(hass, auth_domain, credential, server)
        _async_note_use(hass, subentry, implementation, credential)
        implementations.append(implementation)
    if len(failures) == len(subentries):
        raise failures[0]
    return implementations, next((one for one in failures if isinstance(one, PlatformError)), None)
