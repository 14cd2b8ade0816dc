"""The repairs that Home Assistant offers to do with the user.

A rejected credential is corrected in the credential form. Orphaned entries are given a credential:
the deleted one, another one of the integration, or a new one. What is damaged in the storage is
mended or removed.
"""

from typing import TYPE_CHECKING, Any, override

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
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
from .credentials.orphaned_entries import (
    async_get_deleted,
    async_get_deleted_elsewhere,
    async_is_orphaned,
    async_relink,
    async_replace,
    async_restore,
)
from .credentials.rejection import Rejection, async_get_rejections
from .credentials.store import (
    CONF_AUTH_DOMAIN,
    CONF_VARIABLES,
    Key,
    async_find_subentry,
    async_get_all_subentries,
    async_get_damaged,
    async_get_users_of,
    async_update_credential,
    key_of,
)
from .credentials.stored_credential import mended_data_of
from .credentials.titles import title_of
from .flows.core_repairs import RejectedApplicationCredentialFlow
from .flows.credential_steps import choice
from .flows.credential_subject import OwnCredential
from .flows.repair_flow import CredentialRepairFlow, RejectionRepairFlow
from .oauth2.client import DeveloperCredential
from .plain_text import escape_markdown, plain_line
from .platform import async_get_integrations, async_get_name
from .watching import deletion

if TYPE_CHECKING:
    # Not in the minimum version.
    from homeassistant.components.repairs.models import RepairsFlowResult


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that repairs an issue.

    What the issue does not say, since every user can read it, the texts of the flow's steps do: it
    is for admins.
    """
    if issue_id.startswith((DAMAGED_CREDENTIAL, SECOND_ENTRY)):
        return DamageFlow(issue_id)
    data = data or {}
    if data.get("kind") == "application_credential_rejected":
        return RejectedApplicationCredentialFlow(str(data["key"]))
    if "subentry_id" in data:
        return RejectedCredentialFlow(str(data["subentry_id"]))
    return OrphanedEntriesFlow(str(data.get("entry_id")))


class RejectedCredentialFlow(RejectionRepairFlow):
    """Correct a credential that the server rejects."""

    def __init__(self, subentry_id: str) -> None:
        """Initialize for the credential of a subentry."""
        super().__init__()
        self._subentry_id = subentry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin with the form."""
        subentry, _ = self._rejected()
        integration = await async_get_integration(self.hass, subentry.data[CONF_DOMAIN])
        self._subject = OwnCredential(self.hass, integration, subentry)
        return await self.async_step_edit()

    @override
    async def _async_save(
        self, subject: OwnCredential, credential: DeveloperCredential
    ) -> RepairsFlowResult:
        subentry, _ = self._rejected()
        async_update_credential(self.hass, subentry, subject.integration, credential)
        return self._finished(subentry.title)

    @override
    @callback
    def _rejected_credential(self) -> DeveloperCredential:
        return self._rejected()[1].credential

    @callback
    def _rejected(self) -> tuple[ConfigSubentry, Rejection]:
        """Return the credential and its rejection; abort where it is gone, or rejected no more."""
        if (subentry := async_get_all_subentries(self.hass).get(self._subentry_id)) is None:
            raise AbortFlow(reason="credential_gone")
        if (rejection := async_get_rejections(self.hass).get(key_of(subentry))) is None:
            raise AbortFlow(reason="already_repaired")
        return subentry, rejection


class OrphanedEntriesFlow(CredentialRepairFlow):
    """Give entries whose credential is gone a credential."""

    # What the entries name.
    _key: Key

    def __init__(self, entry_id: str) -> None:
        """Initialize for one of the entries, and those that lack the same credential."""
        super().__init__()
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Choose among what is possible."""
        if (entry := self.hass.config_entries.async_get_entry(self._entry_id)) is None:
            return self.async_abort(reason="already_repaired")
        domain = entry.domain
        self._key = domain, str(entry.data.get("auth_implementation"))
        implementations = await self._async_implementations()
        users = async_get_users_of(self.hass, *self._key)
        name = await async_get_name(self.hass, domain)
        self._placeholders = {
            "entries": ", ".join(escape_markdown(user.title) for user in users),
            "integration": escape_markdown(name),
            # In titles, which are no Markdown.
            "name": plain_line(name),
        }
        options = []
        if deleted_elsewhere := async_get_deleted_elsewhere(self.hass, self._key):
            self._placeholders = {**self._placeholders, **deleted_elsewhere.placeholders}
        deleted = async_get_deleted(self.hass, self._key)
        if (
            deleted
            and not async_find_subentry(
                self.hass,
                domain,
                deleted.data[CONF_CLIENT_ID],
                deleted.data.get(CONF_VARIABLES, {}),
            )
        ) or deletion.async_is_restorable(self.hass, self._key):
            options.append("restore")
        if implementations:
            options.append("move")
        if not deleted_elsewhere and domain in await async_get_integrations(self.hass):
            options.append("add")
        if not options:
            return self.async_abort(
                reason="no_credential", description_placeholders=self._placeholders
            )
        return self.async_show_menu(
            step_id="init", menu_options=options, description_placeholders=self._placeholders
        )

    async def async_step_restore(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Restore what was deleted, as it was."""
        if not (
            await async_restore(self.hass, self._key)
            or await deletion.async_restore(self.hass, self._key)
        ):
            return self.async_abort(reason="already_repaired")
        return self.async_create_entry(data={})

    async def async_step_move(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Choose another credential of the integration."""
        implementations = await self._async_implementations()
        if user_input is None or user_input[CONF_AUTH_DOMAIN] not in implementations:
            names = {auth_domain: one.name for auth_domain, one in implementations.items()}
            return self.async_show_form(
                step_id="move",
                data_schema=choice(CONF_AUTH_DOMAIN, names),
                description_placeholders=self._placeholders,
            )
        auth_domain = user_input[CONF_AUTH_DOMAIN]
        client_id = getattr(implementations[auth_domain], "client_id", None)
        await async_relink(self.hass, self._key, auth_domain, client_id)
        return self.async_create_entry(data={})

    async def async_step_add(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Fill in a new credential."""
        integration = await async_get_integration(self.hass, self._key[0])
        self._subject = OwnCredential(self.hass, integration)
        return await self.async_step_credential()

    @override
    async def async_step_credential(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Fill in a new credential, unless somebody else has given the entries one meanwhile."""
        await self._async_implementations()
        return await super().async_step_credential(user_input)

    @override
    async def async_step_retry(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Correct the new credential, unless somebody else has given the entries one meanwhile."""
        await self._async_implementations()
        return await super().async_step_retry(user_input)

    @override
    async def _async_save(
        self, subject: OwnCredential, credential: DeveloperCredential
    ) -> RepairsFlowResult:
        if not await async_replace(self.hass, self._key, subject.integration, credential):
            return self.async_abort(reason="already_repaired")
        return self._finished(title_of(subject.integration.name, credential.name, ()))

    async def _async_implementations(self) -> dict[str, AbstractOAuth2Implementation]:
        """Return the implementations to choose from; none while they cannot be had.

        Abort where the entries have a credential, of ours or of another provider.
        """
        implementations: dict[str, AbstractOAuth2Implementation] = {}
        try:
            implementations = await async_get_implementations(self.hass, self._key[0])
        except Exception as err:  # noqa: BLE001 - whoever provides them, the rest can be offered
            LOGGER.debug("No implementation of %s: %s", self._key[0], type(err).__name__)
        if self._key[1] in implementations or not async_is_orphaned(self.hass, self._key):
            raise AbortFlow(reason="already_repaired")
        return implementations


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
        if damaged and mended_data_of(damaged) is None:
            return await self.async_step_remove()
        return await self.async_step_mend()

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
        if (subentry := async_get_damaged(self.hass).get(self._id)) is None:
            return self.async_abort(reason="already_repaired")
        if user_input is None:
            return self.async_show_form(step_id=step_id, data_schema=vol.Schema({}))
        async_mend(self.hass, subentry)
        return self.async_create_entry(data={})

    async def async_step_merge(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Merge a second entry with the one that is used."""
        if (second := async_get_second_entries(self.hass).get(self._id)) is None:
            return self.async_abort(reason="already_repaired")
        if user_input is None:
            return self.async_show_form(step_id="merge", data_schema=vol.Schema({}))
        await async_merge(self.hass, second)
        return self.async_create_entry(data={})
