"""The OAuth2 implementations that Home Assistant's config flows and entries use.

Home Assistant asks each provider for the implementations of an integration: when a flow starts,
and when a config entry is set up. Ours are made of the server that the platform declares and of
each credential of the user.
"""

from types import ModuleType
from typing import Any, override

from aiohttp import ClientError
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
)

from .credentials import (
    CONF_AUTH_DOMAIN,
    async_get_entry,
    async_get_subentries,
    credential_of,
)
from .models import AuthorizationServer, DeveloperCredential
from .platform import (
    PlatformError,
    async_call,
    async_get_platform,
    async_report_problem,
)
from .yaml_import import async_import_from_platform


class AuthImplementation(LocalOAuth2Implementation):
    """The authorization code grant with the user's own client (RFC 6749, section 4.1)."""

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
        self._name = str(credential)

    @property
    @override
    def name(self) -> str:
        """What the user picks the credential by."""
        return self._name

    @override
    async def _token_request(self, data: dict[str, str]) -> dict[str, Any]:
        """Return the token that the server answers with.

        Raises:
            aiohttp.ClientError: There is no answer, it is an error, or Home Assistant could not use
                the token: it has no lifetime (RFC 6749, section 5.1), or is none at all. Home
                Assistant's flow would log such a token.
        """
        token = await super()._token_request(data)
        try:
            int(token["expires_in"])
            token["access_token"].encode()
        except AttributeError, KeyError, TypeError, ValueError:
            raise ClientError("The token endpoint sent no access_token and expires_in") from None
        return token


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


async def _async_make_implementations(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> list[AbstractOAuth2Implementation]:
    """Return an implementation for each credential; the platform is asked only where one exists."""
    entry = async_get_entry(hass)
    subentries = async_get_subentries(hass, domain)
    if entry is None or entry.disabled_by or not subentries:
        return []
    if not hasattr(platform, "async_get_auth_implementation"):
        server = await async_call(
            platform, "async_get_authorization_server", AuthorizationServer, hass
        )
        return [
            AuthImplementation(
                hass, subentry.data[CONF_AUTH_DOMAIN], credential_of(subentry), server
            )
            for subentry in subentries
        ]
    implementations = []
    for subentry in subentries:
        auth_domain = subentry.data[CONF_AUTH_DOMAIN]
        implementation = await async_call(
            platform,
            "async_get_auth_implementation",
            AbstractOAuth2Implementation,
            hass,
            auth_domain,
            credential_of(subentry),
        )
        if implementation.domain != auth_domain:
            raise PlatformError("wrong_auth_domain", implementation.domain)
        implementations.append(implementation)
    return implementations
