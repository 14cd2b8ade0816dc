"""What the credential form is filled in for: a credential of ours, or one of Home Assistant's."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.loader import Integration

from ..core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credential_users,
    async_get_application_credentials,
)
from ..core_credentials.editing import async_get_application_credential_server
from ..credentials.last_answers import async_note
from ..credentials.store import (
    CONF_AUTH_DOMAIN,
    async_find_subentry,
    async_get_entry,
    async_get_users,
    async_new_subentry,
    credential_of,
)
from ..oauth2.client import DeveloperCredential
from ..oauth2.implementation import AuthImplementation
from ..oauth2.redirect_uri import async_get_redirect_uri, async_is_redirect_uri_told
from ..oauth2.server import AuthorizationServer
from ..oauth2.verification import Outcome, Verification, async_verify
from ..platform import (
    PlatformError,
    async_call,
    async_get_platform,
    async_make_implementation,
)


class CredentialSubject(ABC):
    """What the form has to know.

    Attributes:
        hass: Home Assistant.
        integration: The integration that the credential is for.
        has_redirect_uri: Whether the user chooses a redirect URI for it.
    """

    has_redirect_uri = True

    def __init__(self, hass: HomeAssistant, integration: Integration) -> None:
        """Initialize for an integration."""
        self.hass = hass
        self.integration = integration

    @property
    @abstractmethod
    def stored(self) -> DeveloperCredential | None:
        """The credential as it is; None for a new one."""

    @property
    @abstractmethod
    def obstacle(self) -> str | None:
        """Why it cannot be saved now: the reason of an abort; None where it can."""

    @property
    @abstractmethod
    def users(self) -> list[ConfigEntry]:
        """The integration's entries that use it."""

    @abstractmethod
    def is_taken(self, client_id: str) -> bool:
        """Return whether another credential of the integration has the client id."""

    @abstractmethod
    async def async_get_server(self, credential: DeveloperCredential) -> AuthorizationServer | None:
        """Return the server to verify a credential with, None where there is none to ask."""

    async def async_verify(self, credential: DeveloperCredential) -> Verification:
        """Return whether the server knows a credential, where there is one to ask; never raises.

        A redirect URI that is not known to be that of the login is not judged.
        """
        inconclusive = Verification(Outcome.INCONCLUSIVE, "", credential)
        if (server := await self.async_get_server(credential)) is None:
            return inconclusive
        try:
            redirect_uri = async_get_redirect_uri(self.hass, credential.redirect_uri)
        except NoURLAvailableError:
            return inconclusive
        is_told = async_is_redirect_uri_told(self.hass, credential.redirect_uri)
        # An entry that uses it has a token, for which the server had to accept the client.
        is_same = self.stored is not None and self.stored.client_id == credential.client_id
        verification = await async_verify(
            self.hass,
            server,
            credential,
            redirect_uri,
            accepted_before=is_same and bool(self.users),
        )
        if verification.outcome is Outcome.REDIRECT_URI_REJECTED and not is_told:
            return replace(inconclusive, credential=verification.credential)
        return verification


class OwnCredential(CredentialSubject):
    """A credential of ours: a subentry, or one to be."""

    def __init__(
        self, hass: HomeAssistant, integration: Integration, subentry: ConfigSubentry | None = None
    ) -> None:
        """Initialize for a subentry; None for a new one."""
        super().__init__(hass, integration)
        self.subentry = subentry

    @property
    @override
    def stored(self) -> DeveloperCredential | None:
        return credential_of(self.subentry) if self.subentry else None

    @property
    @override
    def users(self) -> list[ConfigEntry]:
        return async_get_users(self.hass, self.subentry) if self.subentry else []

    @property
    @override
    def obstacle(self) -> str | None:
        entry = async_get_entry(self.hass)
        if self.subentry is None:
            # Nothing is added that could not be used.
            return "entry_disabled" if entry and entry.disabled_by else None
        if entry is None or self.subentry.subentry_id not in entry.subentries:
            return "credential_gone"
        return None

    @override
    def is_taken(self, client_id: str) -> bool:
        found = async_find_subentry(self.hass, self.integration.domain, client_id)
        return found is not None and found is not self.subentry

    @override
    async def async_verify(self, credential: DeveloperCredential) -> Verification:
        verification = await super().async_verify(credential)
        async_note(
            self.hass,
            ("verification", self.integration.domain, credential.client_id),
            verification.outcome.value,
        )
        return verification

    @override
    async def async_get_server(self, credential: DeveloperCredential) -> AuthorizationServer | None:
        try:
            return await self.async_declared_server(credential)
        except ImplementationUnavailableError, PlatformError:
            return None

    async def async_declared_server(
        self, credential: DeveloperCredential
    ) -> AuthorizationServer | None:
        """Return the server that the platform declares for a credential, None where it does not.

        Raises:
            PlatformError: The platform is broken.
            ImplementationUnavailableError: The platform says that its server cannot be used now.
        """
        platform = await async_get_platform(self.hass, self.integration.domain)
        if platform is None:
            return None
        if not hasattr(platform, "async_get_auth_implementation"):
            return await async_call(
                platform, "async_get_authorization_server", AuthorizationServer, self.hass
            )
        new = async_new_subentry(self.hass, self.integration, credential)
        data = self.subentry.data if self.subentry else new["data"]
        implementation = await async_make_implementation(
            self.hass, platform, data[CONF_AUTH_DOMAIN], credential
        )
        if isinstance(implementation, AuthImplementation):
            return implementation.authorization_server
        return None


class PeerCredential(CredentialSubject):
    """An application credential of Home Assistant; its redirect URI is Home Assistant's default."""

    has_redirect_uri = False

    def __init__(
        self,
        hass: HomeAssistant,
        integration: Integration,
        application_credential: ApplicationCredential,
    ) -> None:
        """Initialize for an application credential."""
        super().__init__(hass, integration)
        self.application_credential = application_credential

    @property
    @override
    def stored(self) -> DeveloperCredential:
        # As it is now: somebody else may have edited it.
        own = self.application_credential
        return async_get_application_credentials(self.hass).get(own.item_id, own).credential

    @property
    @override
    def obstacle(self) -> str | None:
        known = async_get_application_credentials(self.hass)
        return None if self.application_credential.item_id in known else "credential_gone"

    @property
    @override
    def users(self) -> list[ConfigEntry]:
        return async_get_application_credential_users(self.hass, self.application_credential)

    @override
    def is_taken(self, client_id: str) -> bool:
        own = self.application_credential
        return any(
            one.credential.client_id == client_id and one.item_id != own.item_id
            for one in async_get_application_credentials(self.hass).values()
            if one.domain == own.domain
        )

    @override
    async def async_get_server(self, credential: DeveloperCredential) -> AuthorizationServer | None:
        return await async_get_application_credential_server(
            self.hass, self.integration.domain, credential
        )
