"""The platform: what an integration's developer_credentials.py offers, found, loaded and judged.

The module has async functions, each called with `hass`:

- `async_get_authorization_server` returns an `AuthorizationServer`; or, instead,
- `async_get_auth_implementation`, called with `auth_domain` and `credential` as well, returns an
  `AbstractOAuth2Implementation` whose `domain` is that `auth_domain`;
- optional: `async_get_authorization_server_for`, called with `credential` as well, is asked for the
  `AuthorizationServer` of each credential in the place of the first, for servers that are computed
  from the values of variables; which variables there are, the first says;
- optional: `async_get_developer_credential` returns the `DeveloperCredential` of the integration's
  own YAML, or None;
- optional: `async_get_description_placeholders` returns the placeholders of the integration's
  instructions, its translation `application_credentials.description`.

Any of them may raise `ImplementationUnavailableError`, upon which Home Assistant tries again later.
A platform that does anything else is broken: that is told once, in the log and in a repair, and
concerns no other integration.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
import re
from types import ModuleType
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
    LocalOAuth2Implementation,
)
from homeassistant.loader import (
    Integration,
    IntegrationNotFound,
    IntegrationNotLoaded,
    async_get_custom_components,
    async_get_integration,
    async_get_loaded_integration,
)
from homeassistant.requirements import (
    RequirementsNotFound,
    async_get_integration_with_requirements,
)
from homeassistant.util.async_ import create_eager_task
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .oauth2.client import DeveloperCredential
from .oauth2.errors import InvalidServerError
from .oauth2.server import AuthorizationServer
from .oauth2.server_variable import ServerVariable
from .plain_text import escape_markdown, plain_line

PLATFORM = DOMAIN

# Seconds that a function may take; what it asks of a network has time-outs of its own.
TIMEOUT = 60.0

# Characters of what is told about a culprit.
MAX_DETAIL = 200

# What is a link as it stands.
_URL: Final = re.compile(r"https?://[\w./~%#?=&:-]+")

_DATA_PROBLEMS: HassKey[dict[str, PlatformError]] = HassKey(f"{DOMAIN}_platform_problems")


class PlatformError(HomeAssistantError):
    """A platform that breaks its contract.

    The text of an exception that a platform raised is left out, where it is not ours: it may hold
    a credential.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Initialize with the translation key of the reason and the name of the culprit in it."""
        # In the texts it stands as code.
        self.detail = plain_line(detail, MAX_DETAIL).replace("`", "'")
        super().__init__(f"{reason.replace('_', ' ')}: {self.detail}")
        self.reason = reason


async def async_get_integrations(hass: HomeAssistant) -> dict[str, Integration]:
    """Return the installed integrations with the platform, by domain; none is imported."""
    return {
        domain: integration
        for domain, integration in (await async_get_custom_components(hass)).items()
        if integration.platforms_exists((PLATFORM,))
    }


async def async_get_name(hass: HomeAssistant, domain: str) -> str:
    """Return what people call an integration; its domain where it is not installed."""
    try:
        return (await async_get_integration(hass, domain)).name
    except IntegrationNotFound:
        return domain


async def async_get_platform(hass: HomeAssistant, domain: str) -> ModuleType | None:
    """Return the platform of an integration, imported; None where it has none.

    Raises:
        PlatformError: The platform does not import, or has neither of the required functions.
    """
    try:
        integration = await async_get_integration(hass, domain)
    except IntegrationNotFound:
        return None
    if module := integration.get_platform_cached(PLATFORM):
        return _checked(module)
    if not integration.platforms_exists((PLATFORM,)):
        return None
    # A module that failed to import fails again until the restart that brings a better one.
    if (problem := async_get_problems(hass).get(domain)) and problem.reason == "import_failed":
        raise PlatformError(problem.reason, problem.detail)
    try:
        await async_get_integration_with_requirements(hass, domain)
    except (IntegrationNotFound, RequirementsNotFound) as err:
        raise PlatformError("requirements_missing", str(err)) from err
    try:
        module = await integration.async_get_platform(PLATFORM)
    except ImportError as err:
        cause = err.__cause__ or err
        # Where and what is missing is told; what else a module says may be anything.
        text = f": {cause}" if isinstance(cause, ImportError | SyntaxError) else ""
        raise PlatformError("import_failed", f"{type(cause).__name__}{text}") from err
    return _checked(module)


async def async_call[T](
    module: ModuleType, function: str, expected: type[T] | tuple[type[T], ...], *args: object
) -> T:
    """Return the answer of a platform's function.

    Raises:
        PlatformError: The function raised or took too long, or its answer is of another type.
        ImplementationUnavailableError: The platform says that its server cannot be used now.
    """
    call = create_eager_task(_async_judged(module, function, args))
    if not call.done():
        # Most answer without waiting for anything, and need no watch on the time.
        try:
            async with asyncio.timeout(TIMEOUT):
                await call
        except TimeoutError as err:
            raise PlatformError("function_raised", f"{function}, {type(err).__name__}") from err
    answer: object = call.result()
    if not isinstance(answer, expected):
        kind = type(answer)
        name = (
            kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        )
        raise PlatformError("wrong_type", f"{function}, {name}")
    return answer


async def _async_judged(module: ModuleType, function: str, args: Sequence[object]) -> object:
    """Return the answer of a platform's function, of any type; raise as `async_call`."""
    # Every user may read what is told; what a function was given beside `hass` is a credential.
    knows_credential = len(args) > 1
    try:
        return await getattr(module, function)(*args)
    except ImplementationUnavailableError:
        if not knows_credential:
            raise
        raise ImplementationUnavailableError(f"{function}: not available now") from None
    except InvalidServerError as err:
        field, _, wrong = str(err).partition(" ")
        detail = field if knows_credential else f"{field} {wrong}"
        raise PlatformError("invalid_server", detail) from err
    except Exception as err:
        raise PlatformError("function_raised", f"{function}, {type(err).__name__}") from err


async def async_get_server(
    hass: HomeAssistant, module: ModuleType, credential: DeveloperCredential | None = None
) -> AuthorizationServer:
    """Return the server that a platform declares, for a credential where it says so.

    What it has of variables is not filled in.

    Args:
        hass: Home Assistant.
        module: The platform, which declares its server.
        credential: The credential; None for what is declared for all.

    Raises:
        PlatformError: As `async_call`.
        ImplementationUnavailableError: As `async_call`.
    """
    function = "async_get_authorization_server"
    if credential and hasattr(module, f"{function}_for"):
        return await async_call(module, f"{function}_for", AuthorizationServer, hass, credential)
    return await async_call(module, function, AuthorizationServer, hass)


async def async_get_variables(hass: HomeAssistant, domain: str) -> Sequence[ServerVariable] | None:
    """Return the variables of an integration's server; None where that cannot be told now."""
    try:
        platform = await async_get_platform(hass, domain)
        if platform is None or not hasattr(platform, "async_get_authorization_server"):
            return ()
        return (await async_get_server(hass, platform)).variables
    except ImplementationUnavailableError, PlatformError:
        return None


async def async_make_implementation(
    hass: HomeAssistant, module: ModuleType, auth_domain: str, credential: DeveloperCredential
) -> AbstractOAuth2Implementation:
    """Return the implementation that a platform makes for a credential.

    Raises:
        PlatformError: As `async_call`; or it is the implementation of something else.
        ImplementationUnavailableError: As `async_call`.
    """
    function = "async_get_auth_implementation"
    implementation: AbstractOAuth2Implementation = await async_call(
        module, function, AbstractOAuth2Implementation, hass, auth_domain, credential
    )
    try:
        own_domain = implementation.domain
    except Exception as err:
        raise PlatformError("function_raised", f"domain, {type(err).__name__}") from err
    if own_domain != auth_domain:
        # Neither of the two is told, since they are made of client ids.
        raise PlatformError("wrong_auth_domain", function)
    return implementation


def has_client(
    implementation: AbstractOAuth2Implementation, credential: DeveloperCredential
) -> bool:
    """Return whether a platform's implementation logs in with the credential that it was made with.

    It may have a client of its own instead, which is the platform's business.
    """
    return not isinstance(implementation, LocalOAuth2Implementation) or (
        implementation.client_id,
        implementation.client_secret,
    ) == (credential.client_id, credential.client_secret)


@callback
def async_report_problem(hass: HomeAssistant, domain: str, problem: PlatformError | None) -> None:
    """Tell what is wrong with a platform, once; None takes back what was told."""
    problems = async_get_problems(hass)
    if problem is None and domain not in problems:
        return
    issue_id = f"platform_{domain}"
    if problem is None:
        del problems[domain]
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    if (known := problems.get(domain)) and str(known) == str(problem):
        return
    problems[domain] = problem
    LOGGER.error("The developer_credentials platform of %s is broken: %s", domain, problem)
    async_create_issue(hass, issue_id, domain, problem)


@callback
def async_create_issue(
    hass: HomeAssistant, issue_id: str, domain: str, problem: PlatformError
) -> None:
    """Tell in a repair what is wrong with an integration, and where to report it."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        issue_domain=domain,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"platform_{problem.reason}",
        translation_placeholders=async_describe_problem(hass, domain, problem),
    )


@callback
def async_describe_problem(
    hass: HomeAssistant, domain: str, problem: PlatformError
) -> dict[str, str]:
    """Return the placeholders of the text that tells what is wrong with a platform; Markdown."""
    return {
        "integration": domain,
        "detail": problem.detail,
        "report_to": _where_to_report(hass, domain),
    }


@callback
def _where_to_report(hass: HomeAssistant, domain: str) -> str:
    """Return where the developer of an integration is told what is wrong; Markdown."""
    with suppress(IntegrationNotLoaded):
        integration = async_get_loaded_integration(hass, domain)
        for url in (integration.issue_tracker, integration.documentation):
            if isinstance(url, str) and _URL.fullmatch(url):
                return url
        return escape_markdown(integration.name)
    return domain


@callback
def async_get_problems(hass: HomeAssistant) -> dict[str, PlatformError]:
    """Return what is wrong with each broken platform, by domain."""
    return hass.data.setdefault(_DATA_PROBLEMS, {})


def _checked(module: ModuleType) -> ModuleType:
    """Return the module; raise PlatformError where it lacks both of the required functions."""
    if not hasattr(module, "async_get_authorization_server") and not hasattr(
        module, "async_get_auth_implementation"
    ):
        raise PlatformError("missing_function", "async_get_authorization_server")
    return module
