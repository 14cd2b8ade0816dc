"""The OAuth2 implementations that Home Assistant's config flows and entries use.

Home Assistant asks each provider for the implementations of an integration: when a flow starts,
and when a config entry is set up. Ours are made of the server that the platform declares and of
each credential of the user.
"""

from types import ModuleType
from typing import Any, override
from weakref import WeakSet

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
)
from homeassistant.util.hass_dict import HassKey
from yarl import URL

from .const import DOMAIN
from .credential_request import async_offer_credential, async_withdraw_offers
from .credentials import (
    CONF_AUTH_DOMAIN,
    async_get_entry,
    async_get_subentries,
    credential_of,
)
from .errors import InvalidResponseError, TokenRequestError
from .models import AuthorizationServer, DeveloperCredential
from .platform import (
    PlatformError,
    async_call,
    async_get_platform,
    async_report_problem,
)
from .redirect_uri import async_get_redirect_uri
from .token_endpoint import DEFAULT_AUTH_METHOD, TokenEndpoint
from .yaml_import import async_import_from_platform

# The implementations that integrations hold, by subentry.
_DATA_IN_USE: HassKey[dict[str, WeakSet[LocalOAuth2Implementation]]] = HassKey(f"{DOMAIN}_in_use")


class AuthImplementation(LocalOAuth2Implementation):
    """The authorization code grant with the user's own client (RFC 6749, section 4.1).

    Attributes:
        error: Why the last token request brought no token; None where it did.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        auth_domain: str,
        credential: DeveloperCredential,
        authorization_server: AuthorizationServer,
    ) -> None:
        """Initialize for the credential that the integration's entries know as `auth_domain`."""
        super().__init__(
            hass,
            auth_domain,
            credential.client_id,
            credential.client_secret,
            authorization_server.authorize_url,
            authorization_server.token_url,
        )
        self.credential = credential
        self.error: TokenRequestError | None = None

    @property
    @override
    def name(self) -> str:
        """What the user picks the credential by."""
        return str(self.credential)

    @property
    @override
    def redirect_uri(self) -> str:
        """The redirect URI that is registered for the credential.

        Raises:
            NoURLAvailableError: It is this instance's own, and Home Assistant knows no address.
        """
        return async_get_redirect_uri(self.hass, self.credential.redirect_uri)

    @override
    async def async_generate_authorize_url(self, flow_id: str) -> str:
        """Return the URL of the login; a query that the authorize URL has itself survives."""
        # Home Assistant drops it before 2026.11.
        url = URL(await super().async_generate_authorize_url(flow_id))
        return str(URL(self.authorize_url).update_query(url.query))

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Return the token for an authorization code (RFC 6749, section 4.1.3).

        Raises:
            TokenRequestError: There is none that Home Assistant could use, and would log.
        """
        answer = await super().async_resolve_external_data(external_data)
        return self._checked(answer)

    @override
    async def _async_refresh_token(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return the token after its refresh (RFC 6749, section 6).

        What the server does not send stays: the refresh token, and the lifetime.

        Raises:
            TokenRequestError: There is none; the class says why.
        """
        answer = await self._token_request(
            {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        )
        return {**token, **self._checked(answer, token.get("expires_in"))}

    @override
    async def _token_request(self, data: dict[str, str]) -> dict[str, Any]:
        """Return the fields of the server's answer to a grant.

        Raises:
            TokenRequestError: The answer is an error, or none; the class says why.
        """
        self.error = None
        try:
            return await self._token_endpoint.async_request_token(data)
        except TokenRequestError as err:
            self.error = err
            raise

    @property
    def _token_endpoint(self) -> TokenEndpoint:
        return TokenEndpoint(
            self.hass,
            self.token_url,
            self.credential,
            self.credential.token_endpoint_auth_method or DEFAULT_AUTH_METHOD,
            self.domain,
        )

    def _checked(self, answer: dict[str, Any], expires_in: object = None) -> dict[str, Any]:
        try:
            return self._token_endpoint.checked(answer, expires_in)
        except InvalidResponseError as err:
            self.error = err
            raise


async def async_provide_implementations(
    hass: HomeAssistant, domain: str
) -> list[AbstractOAuth2Implementation]:
    """Return an implementation for each credential of an integration, oldest first.

    Raises:
        ImplementationUnavailableError: The platform says that its server cannot be used now.
    """
    implementations: list[AbstractOAuth2Implementation] = []
    problem: PlatformError | None = None
    try:
        if (platform := await async_get_platform(hass, domain)) is None:
            return []
        try:
            await async_import_from_platform(hass, domain, platform)
        except PlatformError as err:
            # The stored credentials are as good as before.
            problem = err
        implementations = await _async_make_implementations(hass, domain, platform)
    except PlatformError as err:
        problem = err
    async_report_problem(hass, domain, problem)
    return implementations


async def async_refresh_implementations(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Give the implementations in use the credentials as they are now; an update listener."""
    async_withdraw_offers(hass)
    for subentry_id, implementations in hass.data.get(_DATA_IN_USE, {}).items():
        if subentry := entry.subentries.get(subentry_id):
            credential = credential_of(subentry)
            for implementation in implementations:
                implementation.client_id = credential.client_id
                implementation.client_secret = credential.client_secret
                if isinstance(implementation, AuthImplementation):
                    implementation.credential = credential


@callback
def _async_note_use(
    hass: HomeAssistant, subentry: ConfigSubentry, implementation: AbstractOAuth2Implementation
) -> None:
    """Remember an implementation for as long as somebody uses it."""
    if isinstance(implementation, LocalOAuth2Implementation):
        in_use = hass.data.setdefault(_DATA_IN_USE, {})
        in_use.setdefault(subentry.subentry_id, WeakSet()).add(implementation)


async def _async_make_implementations(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> list[AbstractOAuth2Implementation]:
    """Return an implementation for each credential; the platform is asked only where one exists."""
    entry = async_get_entry(hass)
    subentries = async_get_subentries(hass, domain)
    if entry and entry.disabled_by:
        return []
    if not subentries:
        async_offer_credential(hass, domain)
        return []
    server: AuthorizationServer | None = None
    if not hasattr(platform, "async_get_auth_implementation"):
        server = await async_call(
            platform, "async_get_authorization_server", AuthorizationServer, hass
        )
    implementations: list[AbstractOAuth2Implementation] = []
    for subentry in subentries:
        auth_domain, credential = subentry.data[CONF_AUTH_DOMAIN], credential_of(subentry)
        implementation: AbstractOAuth2Implementation
        if server:
            implementation = AuthImplementation(hass, auth_domain, credential, server)
        else:
            implementation = await async_call(
                platform,
                "async_get_auth_implementation",
                AbstractOAuth2Implementation,
                hass,
                auth_domain,
                credential,
            )
        try:
            own_domain = implementation.domain
        except Exception as err:
            raise PlatformError("function_raised", f"domain, {type(err).__name__}") from err
        if own_domain != auth_domain:
            raise PlatformError("wrong_auth_domain", own_domain)
        _async_note_use(hass, subentry, implementation)
        implementations.append(implementation)
    return implementations
