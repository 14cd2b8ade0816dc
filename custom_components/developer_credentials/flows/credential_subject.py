"""What the credential form is filled in for: a credential of ours, or one of Home Assistant's."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
)
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.loader import Integration

from ..const import LOGGER
from ..core_credentials.adding import async_find_application_credential
from ..core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
)
from ..core_credentials.peer_platform import async_ask_platform
from ..core_credentials.users import async_get_application_credential_users
from ..credentials.last_answers import async_note
from ..credentials.store import (
    CONF_AUTH_DOMAIN,
    async_find_subentry,
    async_get_entry,
    async_get_users,
    async_new_subentry,
    credential_of,
    unique_id_of,
)
from ..oauth2.client import DeveloperCredential
from ..oauth2.errors import InvalidServerError
from ..oauth2.implementation import AuthImplementation
from ..oauth2.redirect_uri import async_get_redirect_uri, async_is_redirect_uri_told
from ..oauth2.server import AuthorizationServer
from ..oauth2.server_variable import ServerVariable
from ..oauth2.verification import KNOWN, Outcome, Verification, async_verify
from ..platform import (
    PlatformError,
    async_get_platform,
    async_get_server,
    async_get_variables,
    async_make_implementation,
    async_report_problem,
)
from ..watching import inquiries

# What a platform that makes implementations is asked with, before there is a credential.
_NO_CREDENTIAL: Final = DeveloperCredential("-")


class Login(NamedTuple):
    """What a login with a credential has.

    Attributes:
        server: The server, with the values of its variables.
        credential: The client: that of the user, or one that the platform brings.
        redirect_uri: The redirect URI; None for the one that the user has chosen.
    """

    server: AuthorizationServer
    credential: DeveloperCredential
    redirect_uri: str | None = None


class CredentialSubject(ABC):
    """What the form has to know.

    Attributes:
        hass: Home Assistant.
        integration: The integration that the credential is for.
        has_redirect_uri: Whether the user chooses a redirect URI for it.
        declares_auth_method: Whether it is known how its client authenticates.
    """

    has_redirect_uri = True
    declares_auth_method = True

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
    def is_taken(self, credential: DeveloperCredential) -> bool:
        """Return whether the integration has another credential of the same client."""

    @abstractmethod
    async def async_get_login(self, credential: DeveloperCredential) -> Login | None:
        """Return what a login with a credential has; None where that cannot be told."""

    async def async_get_server(self, credential: DeveloperCredential) -> AuthorizationServer | None:
        """Return the server of a credential, None where that cannot be told."""
        login = await self.async_get_login(credential)
        return login.server if login else None

    async def async_get_variables(self) -> Sequence[ServerVariable] | None:
        """Return the variables that a credential has values for; None where nobody can tell now."""
        return ()

    async def async_get_redirect_uri(self) -> str | None:
        """Return the one redirect URI that there is; None where the user's choice decides."""
        return None

    async def async_get_problem(
        self, credential: DeveloperCredential | None
    ) -> PlatformError | None:
        """Return why the integration could not use a credential, and tell it; None where it can.

        Args:
            credential: The credential; None for what can be told of any.
        """
        return None

    async def async_verify(self, credential: DeveloperCredential) -> Verification:
        """Return whether the server knows a credential, where there is one to ask; never raises.

        A redirect URI that is not known to be that of the login is not judged.
        """
        inconclusive = Verification(Outcome.INCONCLUSIVE, "", credential)
        if (login := await self.async_get_login(credential)) is None:
            return inconclusive
        try:
            redirect_uri = (
                login.redirect_uri
                or credential.registered_uri
                or async_get_redirect_uri(self.hass, credential.redirect_uri)
            )
        except NoURLAvailableError:
            return inconclusive
        is_told = bool(
            login.redirect_uri or credential.registered_uri
        ) or async_is_redirect_uri_told(self.hass, credential.redirect_uri)
        stored, kept = self.stored, login.credential.token_endpoint_auth_method
        asked = login.credential
        if stored and stored.client_secret != credential.client_secret:
            # The way that was found is that of the other secret; the declared one comes first.
            asked = replace(asked, token_endpoint_auth_method=None)
        verification = await async_verify(
            self.hass,
            login.server,
            asked,
            redirect_uri,
            # An entry that uses it has a token, for which the server had to accept the client.
            accepted_before=self.declares_auth_method
            and stored is not None
            and stored.identity == credential.identity
            and stored.token_endpoint_auth_method is None
            and bool(self.users),
        )
        if verification.outcome not in KNOWN and kept != "none":
            # Nothing better was found.
            found = replace(verification.credential, token_endpoint_auth_method=kept)
            verification = replace(verification, credential=found)
        if login.credential != credential:
            # What was found is about the platform's client, and that is the platform's business.
            verification = replace(verification, credential=credential)
        if verification.outcome is Outcome.REDIRECT_URI_REJECTED and not is_told:
            return replace(inconclusive, credential=verification.credential.with_objection(None))
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
    def is_taken(self, credential: DeveloperCredential) -> bool:
        found = async_find_subentry(
            self.hass, self.integration.domain, credential.client_id, credential.variables
        )
        return found is not None and found is not self.subentry

    @override
    async def async_verify(self, credential: DeveloperCredential) -> Verification:
        domain = self.integration.domain
        verification = await super().async_verify(credential)
        async_note(
            self.hass,
            ("verification", domain, unique_id_of(domain, credential)),
            verification.outcome.value,
        )
        return verification

    @override
    async def async_get_variables(self) -> Sequence[ServerVariable] | None:
        return await async_get_variables(self.hass, self.integration.domain)

    @override
    async def async_get_problem(
        self, credential: DeveloperCredential | None
    ) -> PlatformError | None:
        domain = self.integration.domain
        try:
            if credential:
                await self._async_declared_login(credential)
            elif (platform := await async_get_platform(self.hass, domain)) and hasattr(
                platform, "async_get_authorization_server"
            ):
                await async_get_server(self.hass, platform)
        except ImplementationUnavailableError, InvalidServerError:
            # It may be there by the time that somebody logs in. Which values fit is looked at.
            return None
        except PlatformError as err:
            async_report_problem(self.hass, domain, err)
            return err
        return None

    @override
    async def async_get_redirect_uri(self) -> str | None:
        try:
            implementation = await self._async_implementation(self.stored or _NO_CREDENTIAL)
        except ImplementationUnavailableError, PlatformError:
            return None
        return _own_redirect_uri(implementation) if implementation else None

    @override
    async def async_get_login(self, credential: DeveloperCredential) -> Login | None:
        try:
            return await self._async_declared_login(credential)
        except ImplementationUnavailableError, InvalidServerError, PlatformError:
            return None

    async def _async_declared_login(self, credential: DeveloperCredential) -> Login | None:
        """Return what a login has by what the platform declares; None where it does not tell.

        Raises:
            InvalidServerError: The credential has no values for the variables of the server.
            PlatformError: The platform is broken.
            ImplementationUnavailableError: The platform says that its server cannot be used now.
        """
        if implementation := await self._async_implementation(credential):
            if not isinstance(implementation, AuthImplementation):
                return None
            server, own = implementation.authorization_server, implementation.credential
            return Login(server, own, _own_redirect_uri(implementation))
        platform = await async_get_platform(self.hass, self.integration.domain)
        if platform is None:
            return None
        server = await async_get_server(self.hass, platform, credential)
        return Login(server.with_values(credential.variables), credential)

    async def _async_implementation(
        self, credential: DeveloperCredential
    ) -> AbstractOAuth2Implementation | None:
        """Return what the platform makes for a credential; None where it declares its server."""
        platform = await async_get_platform(self.hass, self.integration.domain)
        if platform is None or not hasattr(platform, "async_get_auth_implementation"):
            return None
        new = async_new_subentry(self.hass, self.integration, credential)
        data = self.subentry.data if self.subentry else new["data"]
        return await async_make_implementation(
            self.hass, platform, data[CONF_AUTH_DOMAIN], credential
        )


class _PeersCredential(CredentialSubject):
    """A credential that Home Assistant keeps; its redirect URI is Home Assistant's default."""

    has_redirect_uri = False
    # The integration may make its requests itself.
    declares_auth_method = False

    @override
    def is_taken(self, credential: DeveloperCredential) -> bool:
        domain, client_id = self.integration.domain, credential.client_id
        return async_find_application_credential(self.hass, domain, client_id) is not None

    @override
    async def async_get_login(self, credential: DeveloperCredential) -> Login | None:
        given = await async_ask_platform(self.hass, self.integration.domain, credential)
        if given is None:
            return None
        return Login(given.server, replace(credential, client_secret=given.client_secret))

    @override
    async def async_verify(self, credential: DeveloperCredential) -> Verification:
        verification = await super().async_verify(credential)
        inquiries.async_note(self.hass, self.integration.domain, credential, verification)
        return verification


class NewPeerCredential(_PeersCredential):
    """An application credential to be.

    Attributes:
        stored: None.
        obstacle: None; Home Assistant says it when it is added.
        users: None.
    """

    stored = None  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    obstacle = None  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]

    @property
    @override
    def users(self) -> list[ConfigEntry]:
        return []


class PeerCredential(_PeersCredential):
    """An application credential of Home Assistant."""

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
    def is_taken(self, credential: DeveloperCredential) -> bool:
        # Home Assistant may have one twice.
        return self.stored.client_id != credential.client_id and super().is_taken(credential)


def _own_redirect_uri(implementation: AbstractOAuth2Implementation) -> str | None:
    """Return the redirect URI of an implementation; None where it is the credential's, or none."""
    own = getattr(type(implementation), "redirect_uri", None)
    if own is None or own is AuthImplementation.redirect_uri:
        return None
    try:
        return str(getattr(implementation, "redirect_uri"))  # noqa: B009 - not of every class
    except Exception as err:  # noqa: BLE001 - whatever it is, the form is shown
        LOGGER.debug("The redirect URI is not known: %s", type(err).__name__)
        return None
