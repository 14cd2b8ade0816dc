"""The provider: what Home Assistant asks for the implementations of an integration.

It asks when a flow starts, and when a config entry is set up. Ours are made of the server that the
platform declares and of each credential of the user.
"""

from functools import partial
from types import ModuleType
from weakref import WeakSet

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
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

from .const import DOMAIN
from .core_credentials.taking_over import async_take_over
from .credentials.entry_tokens import async_keep_token
from .credentials.rejection import async_note_answer, async_withdraw_outdated
from .credentials.store import (
    CONF_AUTH_DOMAIN,
    Key,
    async_adopt_titles,
    async_get_by_key,
    async_get_entry,
    async_get_subentries,
    key_of,
)
from .credentials.stored_credential import named_credential_of
from .credentials.yaml_import import async_import_from_platform
from .flows.credential_request import async_offer_credential, async_withdraw_offers
from .oauth2.client import DeveloperCredential
from .oauth2.implementation import AuthImplementation
from .oauth2.server import AuthorizationServer
from .platform import (
    PlatformError,
    async_call,
    async_get_platform,
    async_report_problem,
)

# The implementations that integrations hold, by credential.
_DATA_IN_USE: HassKey[dict[Key, WeakSet[LocalOAuth2Implementation]]] = HassKey(f"{DOMAIN}_in_use")


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
            return []
        await async_take_over(hass, await async_get_integration(hass, domain))
        try:
            await async_import_from_platform(hass, domain, platform)
        except PlatformError as err:
            # The stored credentials are as good as before.
            problem = err
        implementations = await _async_make_implementations(hass, domain, platform)
    except PlatformError as err:
        problem = err
    async_report_problem(hass, domain, problem)
    if problem and not implementations and async_get_subentries(hass, domain):
        # Entries try again: there is a credential for them, and no login could help.
        raise ImplementationUnavailableError(str(problem)) from problem
    return implementations


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Give the implementations in use the credentials as they are, from now on, at each change."""
    async_adopt_titles(hass)

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            if change is ConfigEntryChange.REMOVED:
                async_withdraw_outdated(hass)
            return
        async_adopt_titles(hass)
        async_withdraw_offers(hass)
        async_withdraw_outdated(hass)
        for key, implementations in hass.data.get(_DATA_IN_USE, {}).items():
            if known := async_get_by_key(hass, key):
                for implementation in implementations:
                    _async_give(implementation, named_credential_of(known))

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)


@callback
def _async_give(implementation: LocalOAuth2Implementation, credential: DeveloperCredential) -> None:
    """Give an implementation a credential, in one step."""
    implementation.client_id = credential.client_id
    implementation.client_secret = credential.client_secret
    if isinstance(implementation, AuthImplementation):
        implementation.credential = credential


@callback
def _async_note_use(
    hass: HomeAssistant, subentry: ConfigSubentry, implementation: AbstractOAuth2Implementation
) -> None:
    """Remember an implementation for as long as somebody uses it, and hear what it is told."""
    key = key_of(subentry)
    if isinstance(implementation, AuthImplementation):
        implementation.observer = partial(async_note_answer, hass, key)
        implementation.keep_token = partial(async_keep_token, hass, key)
    if isinstance(implementation, LocalOAuth2Implementation):
        # The credential may have changed while the platform made the implementation.
        _async_give(implementation, named_credential_of(subentry))
        hass.data.setdefault(_DATA_IN_USE, {}).setdefault(key, WeakSet()).add(implementation)


async def _async_make_implementations(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> list[AbstractOAuth2Implementation]:
    """Return an implementation for each credential; the platform is asked only where one exists."""
    entry = async_get_entry(hass)
    subentries = async_get_subentries(hass, domain)
    if entry and entry.disabled_by:
        return []
    if not subentries:
        async_offer_credential(hass, domain)
        return []
    server: AuthorizationServer | None = None
    if not hasattr(platform, "async_get_auth_implementation"):
        server = await async_call(
            platform, "async_get_authorization_server", AuthorizationServer, hass
        )
    implementations: list[AbstractOAuth2Implementation] = []
    for subentry in subentries:
        auth_domain, credential = subentry.data[CONF_AUTH_DOMAIN], named_credential_of(subentry)
        implementation: AbstractOAuth2Implementation
        if server:
            implementation = AuthImplementation(hass, auth_domain, credential, server)
        else:
            implementation = await async_call(
                platform,
                "async_get_auth_implementation",
                AbstractOAuth2Implementation,
                hass,
                auth_domain,
                credential,
            )
        try:
            own_domain = implementation.domain
        except Exception as err:
            raise PlatformError("function_raised", f"domain, {type(err).__name__}") from err
        if own_domain != auth_domain:
            raise PlatformError("wrong_auth_domain", own_domain)
        _async_note_use(hass, subentry, implementation)
        implementations.append(implementation)
    return implementations
