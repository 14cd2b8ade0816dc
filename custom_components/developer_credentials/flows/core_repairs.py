"""The repair of an application credential that its server rejects.

It is corrected in the credential form, or its users log in again. One that came with its
integration can only be corrected by an update of that, which is said in the place of the form.
"""

from typing import TYPE_CHECKING, Any, override

from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.loader import IntegrationNotFound, async_get_integration

from ..const import NOTHING
from ..core_credentials.built_in import async_is_built_in
from ..core_credentials.collection import ApplicationCredential, async_get_application_credentials
from ..core_credentials.editing import async_update_application_credential
from ..core_credentials.naming import async_get_title
from ..credentials.titles import title_of
from ..oauth2.client import DeveloperCredential
from ..plain_text import escape_markdown
from ..watching.logins import async_log_in_again
from ..watching.rejection import CoreRejection, async_get_core_rejections
from .credential_subject import OwnCredential, PeerCredential
from .repair_flow import RejectionRepairFlow
from .situation import time_of

if TYPE_CHECKING:
    # Not in the minimum version.
    from homeassistant.components.repairs.models import RepairsFlowResult


class RejectedApplicationCredentialFlow(RejectionRepairFlow):
    """Correct an application credential that its server rejects, or log in again."""

    def __init__(self, key: str) -> None:
        """Initialize for the issue with a random key."""
        super().__init__()
        self._key = key

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Choose among what is possible."""
        one, rejection = self._rejected()
        try:
            integration = await async_get_integration(self.hass, one.domain)
        except IntegrationNotFound:
            return self.async_abort(
                reason="integration_gone", description_placeholders={"domain": one.domain}
            )
        self._subject = PeerCredential(self.hass, integration, one)
        self._placeholders = {
            "answer": escape_markdown(rejection.answer) or NOTHING,
            "credential": async_get_title(self.hass, one),
            "since": time_of(rejection.since),
        }
        if async_is_built_in(self.hass, one):
            return await self.async_step_built_in()
        log_in = ["log_in"] if self._can_log_in else []
        return self.async_show_menu(
            step_id="init",
            menu_options=["edit_application_credential", *log_in],
            description_placeholders=self._menu_placeholders(),
        )

    async def async_step_built_in(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say that the credential came with the integration; a login may help all the same."""
        placeholders = self._menu_placeholders()
        if not self._can_log_in:
            return self.async_abort(reason="built_in", description_placeholders=placeholders)
        return self.async_show_menu(
            step_id="built_in", menu_options=["log_in"], description_placeholders=placeholders
        )

    @property
    def _can_log_in(self) -> bool:
        return any(not user.disabled_by for user in self._subject.users)

    def _menu_placeholders(self) -> dict[str, str]:
        """Return what the texts need that are no part of the form."""
        entries = ", ".join(escape_markdown(user.title) for user in self._subject.users)
        return {
            **self._placeholders,
            "entries": entries or NOTHING,
            "integration": escape_markdown(self._subject.integration.name),
        }

    async def async_step_log_in(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Have the users log in; that shows whether it has helped."""
        one, _ = self._rejected()
        users = async_log_in_again(self.hass, one)
        return self.async_abort(
            reason="logins_started",
            description_placeholders={
                "entries": ", ".join(escape_markdown(user.title) for user in users)
            },
        )

    @override
    @callback
    def _rejected_credential(self) -> DeveloperCredential:
        return self._rejected()[1].application_credential.credential

    if TYPE_CHECKING:
        # It is never a credential of ours.
        @override
        async def _async_save(
            self, subject: OwnCredential, credential: DeveloperCredential
        ) -> RepairsFlowResult: ...

    @override
    async def _async_save_application_credential(
        self, subject: PeerCredential, credential: DeveloperCredential
    ) -> RepairsFlowResult:
        self._rejected()
        await async_update_application_credential(
            self.hass, subject.application_credential, credential
        )
        return self._finished(title_of(subject.integration.name, str(credential), ()))

    @callback
    def _rejected(self) -> tuple[ApplicationCredential, CoreRejection]:
        """Return the credential and its rejection; abort where it is gone, or rejected no more."""
        known = async_get_application_credentials(self.hass)
        for item_id, rejection in async_get_core_rejections(self.hass).items():
            if rejection.issue_key == self._key and item_id in known:
                return known[item_id], rejection
        raise AbortFlow(reason="already_repaired")
