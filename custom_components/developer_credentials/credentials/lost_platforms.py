"""Lost platforms: integrations that took credentials, and whose installed version does not.

Their entries name a credential that is there, and nobody provides an implementation for. A login
would end without one, so that the entries try again, and a repair says what it is.

An integration may also have lost its dependency on this one: its manifest does not name it, so that
Home Assistant may set up its entries first, which fail then. They are tried again at the end of the
start, and a repair says that, too.
"""

from contextvars import ContextVar

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.loader import IntegrationNotFound, async_get_integration
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..platform import (
    PLATFORM,
    PlatformError,
    async_create_issue,
    async_get_integrations,
    async_get_problems,
    async_report_problem,
)
from .store import async_get_entry, async_get_subentries, async_get_users

# The integration that the other providers are being asked for.
_ASKING: ContextVar[str | None] = ContextVar(f"{DOMAIN}_asking", default=None)

# The integrations that were told to lack the dependency.
_DATA_WITHOUT_DEPENDENCY: HassKey[set[str]] = HassKey(f"{DOMAIN}_without_dependency")


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Look for lost platforms at the start, and take back what was told of those in use no more."""

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        for domain in _lost(hass):
            # What became of others' entries costs nothing.
            if entry.domain in {DOMAIN, domain} and not _users(hass, domain):
                async_report_problem(hass, domain, None)
        told = hass.data.get(_DATA_WITHOUT_DEPENDENCY, set())
        for domain in tuple(told):
            if entry.domain in {DOMAIN, domain} and not _users(hass, domain):
                told.discard(domain)
                ir.async_delete_issue(hass, DOMAIN, f"dependency_{domain}")

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    async_at_started(hass, _async_check)


async def _async_check(hass: HomeAssistant) -> None:
    """Have entries try again that failed before the provider was there to say why."""
    entries = [
        entry
        for entry in hass.config_entries.async_entries(include_ignore=False, include_disabled=False)
        if entry.state is ConfigEntryState.SETUP_ERROR
    ]
    await _async_check_dependencies(hass)
    for domain in dict.fromkeys(entry.domain for entry in entries):
        try:
            await async_check_platform(hass, domain)
        except PlatformError as err:
            async_report_problem(hass, domain, err)
            for user in _users(hass, domain):
                if user in entries:
                    hass.config_entries.async_schedule_reload(user.entry_id)


async def _async_check_dependencies(hass: HomeAssistant) -> None:
    """Tell of integrations whose entries may be set up before this one, and try those again."""
    for domain, integration in (await async_get_integrations(hass)).items():
        users = _users(hass, domain)
        if not users or DOMAIN in {*integration.dependencies, *integration.after_dependencies}:
            continue
        hass.data.setdefault(_DATA_WITHOUT_DEPENDENCY, set()).add(domain)
        problem = PlatformError("missing_dependency", "manifest.json")
        async_create_issue(hass, f"dependency_{domain}", domain, problem)
        for user in users:
            if user.state is ConfigEntryState.SETUP_ERROR:
                hass.config_entries.async_schedule_reload(user.entry_id)


async def async_check_platform(hass: HomeAssistant, domain: str) -> None:
    """Check that an integration without the platform is not one that had it.

    Raises:
        PlatformError: Its entries name credentials, and nobody has an implementation for it.
    """
    if _ASKING.get() == domain:
        return
    if await _async_is_lost(hass, domain):
        raise PlatformError("missing_platform", f"{PLATFORM}.py")
    if domain in _lost(hass):
        async_report_problem(hass, domain, None)


async def _async_is_lost(hass: HomeAssistant, domain: str) -> bool:
    if not _users(hass, domain):
        return False
    try:
        integration = await async_get_integration(hass, domain)
    except IntegrationNotFound:
        return False
    if integration.platforms_exists((PLATFORM, PEER)):
        return False
    token = _ASKING.set(domain)
    try:
        return not await async_get_implementations(hass, domain)
    except Exception as err:  # noqa: BLE001 - another provider that fails speaks for itself
        LOGGER.debug("The implementations of %s are not known: %s", domain, type(err).__name__)
        return False
    finally:
        _ASKING.reset(token)


@callback
def _lost(hass: HomeAssistant) -> list[str]:
    """Return the integrations that were told to have lost their platform."""
    problems = async_get_problems(hass).items()
    return [domain for domain, problem in problems if problem.reason == "missing_platform"]


@callback
def _users(hass: HomeAssistant, domain: str) -> list[ConfigEntry]:
    """Return the entries of an integration that use a credential, and want to be set up."""
    subentries = async_get_subentries(hass, domain)
    entry = async_get_entry(hass) if subentries else None
    if entry is None or entry.disabled_by:
        return []
    return [
        user
        for subentry in subentries
        for user in async_get_users(hass, subentry)
        if not user.disabled_by
    ]
