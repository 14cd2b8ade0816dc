"""The repairs that Home Assistant offers to do with the user.

A rejected credential is corrected in the credential form. Orphaned entries are given a credential:
the deleted one, another one of the integration, or a new one. What is damaged in the storage is
mended or removed.
"""

from typing import TYPE_CHECKING, Any, override

from homeassistant.components.repairs import RepairsFlow
from homeassistant.const import CONF_CLIENT_ID, CONF_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    async_get_implementations,
)
from homeassistant.loader import async_get_integration
import voluptuous as vol

from .const import LOGGER
from .credentials.damage import (
    DAMAGED_CREDENTIAL,
    SECOND_ENTRY,
    async_get_second_entries,
    async_mend,
    async_merge,
)
from .credentials.orphaned_entries import async_get_deleted, async_relink, async_restore
from .credentials.rejection import ISSUE_KIND, async_get_rejections
from .credentials.store import (
    CONF_AUTH_DOMAIN,
    Key,
    async_add_subentry,
    async_find_subentry,
    async_get_by_key,
    async_get_damaged,
    async_get_or_create_entry,
    async_new_subentry,
    async_update_credential,
    issue_id_of,
)
from .credentials.stored_credential import mended_data_of
from .flows.credential_form import CredentialSteps, choice
from .flows.credential_subject import OwnCredential
from .oauth2.client import DeveloperCredential
from .platform import async_get_integrations

if TYPE_CHECKING:
    # The minimum version does not have the former.
    from homeassistant.components.repairs.models import RepairsFlowContext, RepairsFlowResult

    _Steps = CredentialSteps[RepairsFlowContext, RepairsFlowResult, str]
else:
    _Steps = CredentialSteps


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that repairs an issue."""
    if issue_id.startswith((DAMAGED_CREDENTIAL, SECOND_ENTRY)):
        return DamageFlow(issue_id)
    data = data or {}
    key = str(data["domain"]), str(data["auth_domain"])
    return (
        RejectedCredentialFlow(key)
        if issue_id == issue_id_of(ISSUE_KIND, key)
        else OrphanedEntriesFlow(key)
    )


class RejectedCredentialFlow(_Steps, RepairsFlow):
    """Correct a credential that the server rejects."""

    def __init__(self, key: Key) -> None:
        """Initialize for the credential."""
        super().__init__()
        self._key = key

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin with the form, whose text has what the issue says."""
        subentry = async_get_by_key(self.hass, self._key)
        if subentry is None or self._key not in async_get_rejections(self.hass):
            return self.async_abort(reason="credential_gone")
        integration = await async_get_integration(self.hass, subentry.data[CONF_DOMAIN])
        self._subentry = subentry
        self._subject = OwnCredential(self.hass, integration, subentry)
        return await self.async_step_edit()

    @override
    async def _async_save(
        self, subject: OwnCredential, credential: DeveloperCredential
    ) -> RepairsFlowResult:
        async_update_credential(self.hass, self._subentry, subject.integration, credential)
        return self.async_create_entry(data={})


class OrphanedEntriesFlow(_Steps, RepairsFlow):
    """Give entries whose credential is gone a credential."""

    def __init__(self, key: Key) -> None:
        """Initialize for the integration, and what its entries name."""
        super().__init__()
        self._key = key
        self._domain, self._auth_domain = key

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Choose among what is possible."""
        options = []
        deleted = async_get_deleted(self.hass, self._key)
        if deleted and not async_find_subentry(
            self.hass, self._domain, deleted.data[CONF_CLIENT_ID]
        ):
            options.append("restore")
        if await self._async_implementations():
            options.append("move")
        if self._domain in await async_get_integrations(self.hass):
            options.append("add")
        if not options:
            return self.async_abort(reason="no_credential")
        return self.async_show_menu(step_id="init", menu_options=options)

    async def async_step_restore(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Restore what was deleted, as it was."""
        if await async_restore(self.hass, self._key) is None:
            return self.async_abort(reason="credential_gone")
        return self.async_create_entry(data={})

    async def async_step_move(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Choose another credential of the integration."""
        implementations = await self._async_implementations()
        if user_input is None or user_input[CONF_AUTH_DOMAIN] not in implementations:
            names = {auth_domain: one.name for auth_domain, one in implementations.items()}
            return self.async_show_form(step_id="move", data_schema=choice(CONF_AUTH_DOMAIN, names))
        auth_domain = user_input[CONF_AUTH_DOMAIN]
        client_id = getattr(implementations[auth_domain], "client_id", None)
        await async_relink(self.hass, self._key, auth_domain, client_id)
        return self.async_create_entry(data={})

    async def async_step_add(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Fill in a new credential."""
        integration = await async_get_integration(self.hass, self._domain)
        self._subject = OwnCredential(self.hass, integration)
        return await self.async_step_credential()

    @override
    async def _async_save(
        self, subject: OwnCredential, credential: DeveloperCredential
    ) -> RepairsFlowResult:
        entry = await async_get_or_create_entry(self.hass)
        new = async_new_subentry(
            self.hass, subject.integration, credential, auth_domain=self._auth_domain
        )
        async_add_subentry(self.hass, entry, new)
        auth_domain = new["data"][CONF_AUTH_DOMAIN]
        await async_relink(self.hass, self._key, auth_domain, credential.client_id)
        return self.async_create_entry(data={})

    async def _async_implementations(self) -> dict[str, AbstractOAuth2Implementation]:
        """Return the implementations to choose from; none while they cannot be had."""
        try:
            return await async_get_implementations(self.hass, self._domain)
        except Exception as err:  # noqa: BLE001 - whoever provides them, the rest can be offered
            LOGGER.debug("No implementation of %s: %s", self._domain, type(err).__name__)
            return {}


class DamageFlow(RepairsFlow):
    """Mend or remove a damaged credential, or merge a second entry with the one that is used."""

    def __init__(self, issue_id: str) -> None:
        """Initialize for the issue."""
        self._id = issue_id.removeprefix(f"{DAMAGED_CREDENTIAL}_").removeprefix(f"{SECOND_ENTRY}_")

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin with what can be done."""
        if self._id in async_get_second_entries(self.hass):
            return await self.async_step_merge()
        damaged = async_get_damaged(self.hass).get(self._id)
        if damaged and mended_data_of(damaged):
            return await self.async_step_mend()
        return await self.async_step_remove()

    async def async_step_mend(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Mend a credential."""
        return self._async_mend("mend", user_input)

    async def async_step_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Remove a credential that cannot be mended."""
        return self._async_mend("remove", user_input)

    @callback
    def _async_mend(self, step_id: str, user_input: dict[str, Any] | None) -> RepairsFlowResult:
        if user_input is None:
            return self.async_show_form(step_id=step_id, data_schema=vol.Schema({}))
        if subentry := async_get_damaged(self.hass).get(self._id):
            async_mend(self.hass, subentry)
        return self.async_create_entry(data={})

    async def async_step_merge(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Merge a second entry with the one that is used."""
        if user_input is None:
            return self.async_show_form(step_id="merge", data_schema=vol.Schema({}))
        if second := async_get_second_entries(self.hass).get(self._id):
            await async_merge(self.hass, second)
        return self.async_create_entry(data={})
