"""The options of our entry: what is done for application credentials."""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.config_entries import OptionsFlow as ConfigEntryOptionsFlow
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..core_credentials.editing import async_get_editable_application_credentials
from ..core_credentials.options import (
    ADOPT_CHOICES,
    ADOPT_CHOSEN,
    CONF_ADOPT,
    CONF_ADOPTED,
    CONF_LOOK_AFTER,
    CONF_VERIFY,
    Options,
)
from ..platform import async_get_name
from .credential_steps import labelled


class OptionsFlow(ConfigEntryOptionsFlow):
    """Choose what is done for application credentials; changes act at once, without a reload."""

    # What was chosen in the first step.
    _chosen: Mapping[str, Any] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose what is done."""
        now = Options.of(self.config_entry)
        if user_input is None:
            choices = set(ADOPT_CHOICES)
            if not await self._async_get_domains(now):
                choices.remove(ADOPT_CHOSEN)
            adopt = SelectSelectorConfig(
                options=[one for one in ADOPT_CHOICES if one in choices],
                translation_key=CONF_ADOPT,
                mode=SelectSelectorMode.LIST,
            )
            schema = vol.Schema(
                {
                    vol.Required(CONF_LOOK_AFTER, default=now.look_after): BooleanSelector(),
                    vol.Required(CONF_VERIFY, default=now.verify): BooleanSelector(),
                    vol.Required(CONF_ADOPT, default=now.adopt): SelectSelector(adopt),
                }
            )
            return self.async_show_form(step_id="init", data_schema=schema)
        self._chosen = user_input
        if user_input[CONF_ADOPT] == ADOPT_CHOSEN:
            return await self.async_step_adopted()
        return self._save(sorted(now.adopted))

    async def async_step_adopted(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the integrations that are adopted."""
        if user_input and user_input[CONF_ADOPTED]:
            return self._save(user_input[CONF_ADOPTED])
        now = Options.of(self.config_entry)
        names = {
            domain: await async_get_name(self.hass, domain)
            for domain in await self._async_get_domains(now)
        }
        selector = SelectSelector(
            SelectSelectorConfig(
                options=labelled(names), multiple=True, mode=SelectSelectorMode.LIST
            )
        )
        return self.async_show_form(
            step_id="adopted",
            data_schema=vol.Schema(
                {vol.Required(CONF_ADOPTED, default=sorted(now.adopted)): selector}
            ),
            errors={} if user_input is None else {CONF_ADOPTED: "adopted_empty"},
        )

    async def _async_get_domains(self, now: Options) -> set[str]:
        """Return the integrations that have application credentials, or were chosen before."""
        found = await async_get_editable_application_credentials(self.hass)
        return {one.domain for one in found.values()} | now.adopted

    @callback
    def _save(self, adopted: Sequence[str]) -> ConfigFlowResult:
        return self.async_create_entry(data={**self._chosen, CONF_ADOPTED: list(adopted)})
