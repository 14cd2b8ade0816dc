"""The choices before the credential form: for which integration, and which credential."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_DOMAIN
from homeassistant.data_entry_flow import FlowContext, FlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.loader import IntegrationNotFound, async_get_integration
import voluptuous as vol

from ..const import DEVELOPER_GUIDE_URL
from ..core_credentials.adding import async_get_supporting_integrations, async_prepare
from ..core_credentials.editing import async_get_editable_application_credentials
from ..credentials.titles import title_of
from ..plain_text import plain_line
from ..platform import async_get_integrations, async_get_name
from .credential_form import CredentialForm
from .credential_subject import NewPeerCredential, OwnCredential, PeerCredential


class AddingSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    CredentialForm[ContextT, ResultT, HandlerT]
):
    """The steps that add a credential, from the first choice on."""

    async def async_step_integration(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Choose the integration that a new credential is for.

        One that takes credentials of both kinds is given one of ours.
        """
        own = await async_get_integrations(self.hass)
        integrations = await async_get_supporting_integrations(self.hass) | own
        if user_input is None:
            names = {domain: integration.name for domain, integration in integrations.items()}
            return self.async_show_form(
                step_id="integration",
                data_schema=choice(CONF_DOMAIN, names),
                description_placeholders={"url": DEVELOPER_GUIDE_URL},
            )
        integration = integrations[user_input[CONF_DOMAIN]]
        if integration.domain in own:
            self._subject = OwnCredential(self.hass, integration)
        elif await async_prepare(self.hass, integration):
            self._subject = NewPeerCredential(self.hass, integration)
        else:
            return self.async_abort(reason="application_credential_refused")
        return await self.async_step_credential()


class EditingSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    CredentialForm[ContextT, ResultT, HandlerT]
):
    """The steps that edit an application credential, from the choice on."""

    async def async_step_application_credential(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Choose one of Home Assistant's application credentials to edit."""
        choices = await async_get_editable_application_credentials(self.hass)
        if user_input is None:
            names: dict[str, str] = {}
            for one in choices.values():
                integration_name = await async_get_name(self.hass, one.domain)
                names[one.item_id] = title_of(integration_name, str(one.credential), names.values())
            return self.async_show_form(
                step_id="application_credential", data_schema=choice("credential", names)
            )
        if (chosen := choices.get(user_input["credential"])) is None:
            return self.async_abort(reason="credential_gone")
        try:
            integration = await async_get_integration(self.hass, chosen.domain)
        except IntegrationNotFound:
            return self.async_abort(
                reason="integration_gone", description_placeholders={"domain": chosen.domain}
            )
        self._subject = PeerCredential(self.hass, integration, chosen)
        return await self.async_step_edit_application_credential()


def choice(name: str, labels: Mapping[str, str]) -> vol.Schema:
    """Return the schema of a choice, in the order of the alphabet."""
    selector = SelectSelector(
        SelectSelectorConfig(options=labelled(labels), mode=SelectSelectorMode.DROPDOWN)
    )
    return vol.Schema({vol.Required(name): selector})


def labelled(labels: Mapping[str, str]) -> list[SelectOptionDict]:
    """Return the options of a choice, in the order of the alphabet."""
    options = [
        SelectOptionDict(value=value, label=plain_line(label)) for value, label in labels.items()
    ]
    return sorted(options, key=lambda option: option["label"].casefold())
