"""What flows ask of each other: a credential, and what to go on with; and the card that offers it.

A flow that needs a credential ends, and is begun again when there is one. What it knew goes with
the request, so that the new one need not begin with its first step.

An integration whose config flow is Home Assistant's own cannot be helped inside its dialog when it
has no credential. A discovery flow of ours, a card under "Discovered", offers to add one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from homeassistant.config_entries import (
    HANDLERS,
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_USER,
    ConfigFlowContext,
)
from homeassistant.const import CONF_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import discovery_flow, http

from ..const import DOMAIN
from ..credentials.store import async_get_subentries
from ..oauth2.verification import Outcome


def _user_context() -> ConfigFlowContext:
    return {"source": SOURCE_USER}


@dataclass(frozen=True, kw_only=True)
class CredentialRequest:
    """What another flow asks this integration's config flow for.

    Attributes:
        domain: The integration that the credential is for.
        context: The context of the integration's flow to go on with.
        data: What that flow began with.
        kept: The attributes that it goes on to the login with; None where it has to begin with its
            first step.
        auth_domain: The credential to correct; None to add one.
        rejection: What the server said of it.
        outcome: What the server has against it; None for nothing.
        is_needed: Whether the flow cannot go on without. Else the user wants it: nothing follows
            where the form is left, or the client is the same as before.
    """

    domain: str
    context: ConfigFlowContext = field(default_factory=_user_context)
    data: object = field(default=None, repr=False)
    kept: Mapping[str, object] | None = field(default=None, repr=False)
    auth_domain: str | None = None
    rejection: str = ""
    outcome: Outcome | None = Outcome.REJECTED
    is_needed: bool = True


@dataclass(frozen=True)
class Return:
    """What a flow is begun again with, to go on to its login.

    Attributes:
        context: Its context; the very object.
        auth_domain: The credential.
        kept: The attributes that it had.
    """

    context: ConfigFlowContext
    auth_domain: str
    kept: Mapping[str, object] = field(repr=False)


_RETURN: Final[ContextVar[Return | None]] = ContextVar("return", default=None)


@contextmanager
def returning(
    context: ConfigFlowContext, auth_domain: str, kept: Mapping[str, object] | None
) -> Iterator[None]:
    """Have the flow that begins with a context go on where the request was made."""
    token = _RETURN.set(None if kept is None else Return(context, auth_domain, kept))
    try:
        yield
    finally:
        _RETURN.reset(token)


@callback
def async_get_return(context: ConfigFlowContext) -> Return | None:
    """Return what the flow with a context goes on with; None where it begins anew."""
    found = _RETURN.get()
    return found if found and found.context is context else None


@callback
def async_offer_credential(hass: HomeAssistant, domain: str) -> None:
    """Offer to add a credential, where a user has begun a flow that cannot ask for it itself."""
    handler = HANDLERS.get(domain)
    if http.current_request.get() is None or getattr(handler, "asks_for_credential", False):
        return
    discovery_flow.async_create_flow(
        hass,
        DOMAIN,
        context={"source": SOURCE_INTEGRATION_DISCOVERY},
        data={CONF_DOMAIN: domain},
    )


@callback
def async_withdraw_offers(hass: HomeAssistant) -> None:
    """Take away the cards of integrations that have a credential by now."""
    flows = hass.config_entries.flow.async_progress_by_handler(
        DOMAIN, match_context={"source": SOURCE_INTEGRATION_DISCOVERY}
    )
    for flow in flows:
        if async_get_subentries(hass, str(flow["context"].get("unique_id"))):
            hass.config_entries.flow.async_abort(flow["flow_id"])
