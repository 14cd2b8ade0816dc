"""What flows ask of each other: a credential, and what to go on with; and the card that offers it.

An integration whose config flow is Home Assistant's own cannot be helped inside its dialog when it
has no credential. A discovery flow of ours, a card under "Discovered", offers to add one.
"""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRequest:
    """What another flow asks this integration's config flow for.

    Attributes:
        domain: The integration that the credential is for.
        context: The context of the integration's flow to go on with.
        auth_domain: The credential to correct; None to add one.
        rejection: What the server said of it.
        outcome: What the server has against it.
    """

    domain: str
    context: ConfigFlowContext = field(default_factory=_user_context)
    auth_domain: str | None = None
    rejection: str = ""
    outcome: Outcome = Outcome.REJECTED


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
