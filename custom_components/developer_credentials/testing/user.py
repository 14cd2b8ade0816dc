"""The user, who goes through dialogs: adds an account, logs in again, repairs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, cast

from aiohttp import hdrs, web
from aiohttp.test_utils import make_mocked_request
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResult, FlowResultType, section
from homeassistant.helpers import http
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    HEADER_FRONTEND_BASE,
    OAuth2AuthorizeCallbackView,
)
from homeassistant.setup import async_setup_component
import voluptuous as vol
from yarl import URL

from ..const import DOMAIN
from ..oauth2.http_session import async_get_session

# Where the user has opened Home Assistant.
_FRONTEND: Final = "https://example.com"
# No dialog has as many; one that goes round in circles does.
_MAX_STEPS: Final = 20

_NO_ANSWERS: Final[Mapping[str, Any]] = MappingProxyType({})


async def async_log_in(
    hass: HomeAssistant,
    domain: str,
    answers: Mapping[str, Any] = _NO_ANSWERS,
    *,
    context: ConfigFlowContext | None = None,
    data: object = None,
) -> ConfigFlowResult:
    """Go through a config flow of an integration as its user does, and return what it comes to.

    Forms are filled in, the login at the server comes back through Home Assistant's callback, and
    a dialog that goes on in another flow (`next_flow`) is followed there.

    Args:
        hass: Home Assistant.
        domain: The integration.
        answers: What the user enters, by the names of fields, in whatever form and section they
            are; of a menu, `next_step_id`. A field that is not among them keeps what the form has.
        context: The context of the flow; that of one which the user has begun by default.
        data: What the flow begins with, such as what was discovered.

    Returns:
        The end of the flow. Or the step at which the user stays: a form that is wrong, or requires
        what `answers` do not have; a menu without an answer.

    Raises:
        AssertionError: The server refuses the login, or the dialog does not end.
    """
    flows = hass.config_entries.flow
    with _frontend_request():
        step = await flows.async_init(domain, context=context or {"source": SOURCE_USER}, data=data)
        return cast("ConfigFlowResult", await _async_go_on(hass, flows, step, answers))


async def async_log_in_again(
    hass: HomeAssistant, entry: ConfigEntry, answers: Mapping[str, Any] = _NO_ANSWERS
) -> ConfigFlowResult:
    """Go through the reauth that was started for an integration's entry; as `async_log_in`.

    Raises:
        AssertionError: No reauth was started; or as `async_log_in`.
    """
    await hass.async_block_till_done()
    flows = hass.config_entries.flow
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        with _frontend_request():
            step = await flows.async_configure(flow["flow_id"])
            return cast("ConfigFlowResult", await _async_go_on(hass, flows, step, answers))
    raise AssertionError(f"No reauth of {entry.title} was started")


async def async_reconfigure(
    hass: HomeAssistant, entry: ConfigEntry, answers: Mapping[str, Any] = _NO_ANSWERS
) -> ConfigFlowResult:
    """Go through *Reconfigure* in the menu of an integration's entry; as `async_log_in`.

    Raises:
        AssertionError: As `async_log_in`.
    """
    context: ConfigFlowContext = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    return await async_log_in(hass, entry.domain, answers, context=context)


async def async_repair(
    hass: HomeAssistant, domain: str, answers: Mapping[str, Any] = _NO_ANSWERS
) -> FlowResult[Any, str]:
    """Go through the repair that Developer Credentials offers for an integration.

    Args:
        hass: Home Assistant.
        domain: The integration.
        answers: As for `async_log_in`.

    Returns:
        As `async_log_in`; the type of a repair that was done is `FlowResultType.CREATE_ENTRY`.

    Raises:
        AssertionError: There is none, or more than one; or as `async_log_in`.
    """
    await hass.async_block_till_done()
    issues = [
        issue.issue_id
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.issue_domain == domain and issue.is_fixable
    ]
    await async_setup_component(hass, "repairs", {})
    flows = repairs_flow_manager(hass)
    if len(issues) != 1 or flows is None:
        raise AssertionError(f"There is not one repair of {domain}, but {issues}")
    with _frontend_request():
        step = await flows.async_init(DOMAIN, data={"issue_id": issues[0]})
        return await _async_go_on(hass, flows, step, answers)


@contextmanager
def _frontend_request() -> Iterator[None]:
    """Let what is done be done on behalf of the frontend."""
    request = make_mocked_request("GET", "/", headers={HEADER_FRONTEND_BASE: _FRONTEND})
    token = http.current_request.set(request)
    try:
        yield
    finally:
        http.current_request.reset(token)


async def _async_go_on(
    hass: HomeAssistant,
    flows: FlowManager[Any, Any, str],
    step: FlowResult[Any, str],
    answers: Mapping[str, Any],
) -> FlowResult[Any, str]:
    """Go on from a step for as long as there are answers, and return the last one."""
    submitted: set[str] = set()
    for _ in range(_MAX_STEPS):
        flow_id, user_input = step["flow_id"], None
        if step["type"] is FlowResultType.EXTERNAL_STEP:
            await _async_visit(hass, step["url"])
        elif step["type"] is FlowResultType.FORM:
            user_input = _filled(step["data_schema"], answers)
            if user_input is None or (step["errors"] and flow_id in submitted):
                break
            submitted.add(flow_id)
        elif step["type"] is FlowResultType.MENU and answers.get("next_step_id", "") in (
            step["menu_options"] or ()
        ):
            user_input = {"next_step_id": answers["next_step_id"]}
        elif next_flow := _next_flow(step):
            flows, flow_id = hass.config_entries.flow, next_flow
        else:
            break
        step = await flows.async_configure(flow_id, user_input)
    else:
        raise AssertionError(f"The dialog has no end: {step}")
    await hass.async_block_till_done()
    return step


def _next_flow(step: FlowResult[Any, str]) -> str | None:
    """Return the id of the flow in which the dialog goes on; None where it does not."""
    if step["type"] is not FlowResultType.ABORT:
        return None
    _, flow_id = cast("ConfigFlowResult", step).get("next_flow") or (None, None)
    return flow_id


def _filled(schema: vol.Schema | None, answers: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a form is submitted with; None where it requires what nobody has told."""
    user_input: dict[str, Any] = {}
    for field, kind in schema.schema.items() if schema else ():
        name = str(field)
        if isinstance(kind, section):
            inner = _filled(kind.schema, answers)
            if inner is None:
                return None
            user_input[name] = inner
        elif name in answers:
            user_input[name] = answers[name]
        elif (suggested := _suggested(field)) is not None:
            user_input[name] = suggested
        elif isinstance(field, vol.Required) and isinstance(field.default, vol.Undefined):
            return None
    return user_input


def _suggested(field: object) -> object:
    description = getattr(field, "description", None)
    return description.get("suggested_value") if isinstance(description, Mapping) else None


async def _async_visit(hass: HomeAssistant, url: str) -> None:
    """Log in at a server, which redirects at once, and return through Home Assistant's callback."""
    async with async_get_session(hass).get(url, allow_redirects=False) as answer:
        if (location := answer.headers.get(hdrs.LOCATION)) is None:
            raise AssertionError(f"The login is refused: {answer.status} {await answer.text()}")
    application = web.Application()
    application[http.KEY_HASS] = hass
    path = URL(location).raw_path_qs
    await OAuth2AuthorizeCallbackView().get(make_mocked_request("GET", path, app=application))
