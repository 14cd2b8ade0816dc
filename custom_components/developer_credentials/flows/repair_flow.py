"""What the repairs that take a credential share."""

from abc import abstractmethod
from typing import TYPE_CHECKING, override

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import callback

from ..credentials.rejection import client_of
from ..oauth2.client import DeveloperCredential
from ..oauth2.verification import Outcome, Verification
from .credential_form import CredentialForm

if TYPE_CHECKING:
    # The minimum version does not have the former.
    from homeassistant.components.repairs.models import RepairsFlowContext, RepairsFlowResult

    _Steps = CredentialForm[RepairsFlowContext, RepairsFlowResult, str]
else:
    _Steps = CredentialForm


class CredentialRepairFlow(_Steps, RepairsFlow):
    """A repair that takes a credential."""

    @callback
    def _finished(self, title: str) -> RepairsFlowResult:
        """Return how it ends: repaired where the server accepts it, else with what is true."""
        if self._verification and self._verification.outcome is Outcome.ACCEPTED:
            return self.async_create_entry(data={})
        return self.async_abort(**self._saved(title))


class RejectionRepairFlow(CredentialRepairFlow):
    """A repair that corrects what the server rejects."""

    @abstractmethod
    def _rejected_credential(self) -> DeveloperCredential:
        """Return what is rejected; abort where it is gone, or rejected no more."""

    @override
    async def _async_overtaken(self, step_id: str) -> RepairsFlowResult | None:
        self._rejected_credential()
        return await super()._async_overtaken(step_id)

    @override
    def _error_of(self, credential: DeveloperCredential, verification: Verification) -> str | None:
        """Return the error also where nothing has changed that the server could accept."""
        if client_of(credential) != client_of(self._rejected_credential()):
            return super()._error_of(credential, verification)
        if verification.outcome is Outcome.REJECTED:
            return "still_rejected"
        if verification.outcome is Outcome.INCONCLUSIVE:
            return "still_unchecked"
        return super()._error_of(credential, verification)
