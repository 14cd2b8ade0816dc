"""The OAuth2 implementation of an integration: its declared server, and a credential of the user.

It is Home Assistant's own, and does beyond that what a server is declared to want. Config flows
log in with it, config entries refresh their tokens with it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
import time
from typing import Any, Final, Self, override

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
from yarl import URL

from ..const import DOMAIN
from ..plain_text import plain_line
from .backoff import RefreshGrant, async_get_error, async_noting_failure
from .client import ClientAuthMethod, DeveloperCredential
from .errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidServerError,
    TokenRequestError,
    UnavailableError,
)
from .pkce import code_challenge_of, generate_code_verifier
from .redirect_uri import async_get_redirect_uri
from .server import AuthorizationServer
from .single_flight import async_join
from .stored_token import refreshed
from .token_endpoint import TokenEndpoint

# For a credential whose server is not known now: a host that no server can have (RFC 2606).
NO_SERVER: Final = AuthorizationServer(None, "https://server.invalid/")


class AuthImplementation(LocalOAuth2Implementation):
    """The authorization code grant with the user's own client (RFC 6749, section 4.1).

    Attributes:
        error: Why the last token request brought no token; None where it did.
        observer: Is told why a refresh brought no token, and None when a request did.
        keep_token: Is given the token that was refreshed and the one that it became, where nobody
            waits for that any longer; the server may give it only once.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        auth_domain: str,
        credential: DeveloperCredential,
        authorization_server: AuthorizationServer,
    ) -> None:
        """Initialize for the credential that the integration's entries know as `auth_domain`."""
        super().__init__(hass, auth_domain, "", "", "", NO_SERVER.token_url)
        self._credential = credential
        self._declared_server = authorization_server
        self._server = NO_SERVER
        self._fill_server()
        self._service_domain = DOMAIN
        self.error: TokenRequestError | None = None
        self.observer: Callable[[TokenRequestError | None], None] | None = None
        self.keep_token: Callable[[dict[str, Any], dict[str, Any]], None] | None = None
        # The code verifiers of the logins that have begun, by flow; None before the first one.
        self._code_verifiers: dict[str, str] | None = None

    def copy(self) -> Self:
        """Return another implementation of the credential, without what logins left in this one.

        Nothing is checked or worked out again.
        """
        copy = type(self).__new__(type(self))
        vars(copy).update(vars(self), error=None, _code_verifiers=None)
        return copy

    @property
    def credential(self) -> DeveloperCredential:
        """The client; whoever sets it gives the server its values of the variables, too."""
        return self._credential

    @credential.setter
    def credential(self, credential: DeveloperCredential) -> None:
        self._credential = credential
        self._fill_server()

    @property
    def authorization_server(self) -> AuthorizationServer:
        """The server, with the values that the credential has for its variables.

        `NO_SERVER` where these make none; requests fail then as if it did not answer.
        """
        return self._server

    @authorization_server.setter
    def authorization_server(self, server: AuthorizationServer) -> None:
        self._declared_server = server
        self._fill_server()

    def _fill_server(self) -> None:
        """Become the implementation of the credential at its server."""
        self._without_server = ""
        try:
            server = self._declared_server.with_values(self._credential.variables)
        except InvalidServerError as err:
            # It is told when it matters: other credentials are as good as before.
            server, self._without_server = NO_SERVER, str(err)
        if self._declared_server is NO_SERVER:
            self._without_server = "its server is not known now"
        own = type(self).token_auth_method
        if server is not NO_SERVER and isinstance(own, str):
            # A subclass says it as one of Home Assistant's does.
            server = replace(server, token_endpoint_auth_method=own)
        self.client_id = self._credential.client_id
        self.client_secret = self._credential.client_secret
        if server != self._server:
            # What a subclass has made of the URLs stays for as long as they are the same.
            self._server = server
            self.authorize_url = server.authorize_url or ""
            self.token_url = server.token_url

    @property
    @override
    def name(self) -> str:
        """What the user picks the credential by."""
        # Never the client id: the name becomes the title of entries, which all users read.
        return self.credential.name or "Developer Credentials"

    @property
    @override
    def service_domain(self) -> str:
        """The integration, by which errors are called; the provider sets it."""
        return self._service_domain

    @service_domain.setter
    def service_domain(self, domain: str) -> None:
        self._service_domain = domain

    @property
    @override
    def redirect_uri(self) -> str:
        """The redirect URI that is registered for the credential.

        Raises:
            NoURLAvailableError: It is this instance's own, and Home Assistant knows no address.
        """
        return async_get_redirect_uri(self.hass, self.credential.redirect_uri)

    @property
    def token_auth_method(self) -> ClientAuthMethod:
        """How a client with a secret authenticates, as declared; a subclass may have another.

        It is Home Assistant's own attribute from 2026.11 on.
        """
        return self.authorization_server.token_endpoint_auth_method

    @property
    @override
    def extra_authorize_data(self) -> dict[str, str]:
        """The scopes and the parameters of the server; a subclass adds to them."""
        return self.authorization_server.extra_authorize_data

    @override
    async def async_generate_authorize_url(self, flow_id: str) -> str:
        """Return the URL of the login, with a code challenge where PKCE is used (RFC 7636).

        A query that the authorize URL has itself survives.

        Raises:
            AbortFlow: The server has no login page, or is not known.
        """
        if self._without_server:
            detail = {"detail": self._without_server}
            raise AbortFlow("server_unknown", detail, translation_domain=DOMAIN)
        if self.authorization_server.authorize_url is None:
            raise AbortFlow("no_login_page", translation_domain=DOMAIN)
        # Home Assistant drops it before 2026.11.
        generated = URL(await super().async_generate_authorize_url(flow_id))
        url = URL(self.authorize_url).update_query(generated.query)
        if self.authorization_server.uses_pkce(self.credential):
            # A flow that shows its login again goes on with the login that it has begun.
            if self._code_verifiers is None:
                self._code_verifiers = {}
            code_verifier = self._code_verifiers.setdefault(flow_id, generate_code_verifier())
            url = url.update_query(code_challenge_of(code_verifier))
        return str(url)

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Return the token for an authorization code (RFC 6749, section 4.1.3).

        With PKCE, a code is sent with the verifier of its login only (RFC 7636, section 4.5): one
        that comes again, or for a login that this instance has not begun, is refused here.

        Raises:
            TokenRequestError: There is none; the class says why.
        """
        state = external_data["state"]
        data = {
            "grant_type": "authorization_code",
            "code": external_data["code"],
            "redirect_uri": state["redirect_uri"],
            **self.extra_token_resolve_data,
        }
        if code_verifier := (self._code_verifiers or {}).pop(state.get("flow_id", ""), None):
            data["code_verifier"] = code_verifier
        elif "code_verifier" not in data and self.authorization_server.uses_pkce(self.credential):
            # Sent without, a server that does not insist on PKCE would take a stolen code.
            raise self._invalid_grant("no code verifier")
        return await self._noting_error(self._async_token(data))

    @override
    async def _async_refresh_token(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return the token after its refresh (RFC 6749, section 6).

        However many ask to refresh the same token, one request is made: a server that rotates
        refresh tokens takes each of them once (RFC 9700, section 4.14.2). One that did not answer
        is left alone for a while. What the server does not send stays: the refresh token, and the
        lifetime.

        Raises:
            TokenRequestError: There is none; the class says why.
        """
        if not (refresh_token := token.get("refresh_token")):
            # Only another login brings a token.
            raise self._invalid_grant("no refresh token")
        grant = RefreshGrant(self.token_url, self.credential.client_id, refresh_token)
        if error := async_get_error(self.hass, grant, self.credential):
            self.error = error
            raise error
        try:
            answer = await self._noting_error(self._async_refresh(token, grant))
        except TokenRequestError as err:
            if self.observer:
                self.observer(err)
            raise
        return refreshed(token, answer)

    async def _async_refresh(self, token: dict[str, Any], grant: RefreshGrant) -> dict[str, Any]:
        async def request() -> dict[str, Any]:
            data = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
            with async_noting_failure(self.hass, grant, self.credential):
                return await self._async_token(data, token.get("expires_in"))

        async def refresh() -> dict[str, Any]:
            credential = self.credential
            try:
                return await request()
            except InvalidClientError:
                now = self.credential
                if credential == now or credential.variables != now.variables:
                    # A token of one server is not for another one.
                    raise
            # It was corrected while the server looked at the old one.
            return await request()

        def keep(answer: dict[str, Any]) -> None:
            if self.keep_token:
                expires_at = time.time() + answer["expires_in"]
                self.keep_token(token, {**refreshed(token, answer), "expires_at": expires_at})

        return await async_join(self.hass, ("refresh", *grant), refresh, keep)

    async def _async_token(self, data: dict[str, str], expires_in: object = None) -> dict[str, Any]:
        """Return the token for a grant; `expires_in` is its lifetime where nobody tells it."""
        if self._without_server:
            raise UnavailableError(
                domain=self.service_domain,
                request_info=self.token_endpoint.request_info,
                error_description=self._without_server,
            )
        answer = await self._token_request(data)
        default = self.authorization_server.default_expires_in
        return self.token_endpoint.checked(answer, expires_in if default is None else default)

    @override
    async def _token_request(self, data: dict[str, str]) -> dict[str, Any]:
        """Return the fields of the server's answer to a grant; a subclass may mend them.

        Raises:
            TokenRequestError: The answer is an error, or none; the class says why.
        """
        # Some servers have grants of their own, which they call in another way.
        server, grant_type = self.authorization_server, data.get("grant_type", "")
        endpoint = self.token_endpoint
        if grant_type == "refresh_token" and server.refresh_url:
            endpoint = replace(endpoint, url=server.refresh_url)
        data = {**server.token_request_params(grant_type), **data}
        return await endpoint.async_request_token(data)

    @property
    def token_endpoint(self) -> TokenEndpoint:
        """The token endpoint, with the credential as it is now."""
        return TokenEndpoint(
            self.hass,
            self.token_url,
            self.credential,
            self.authorization_server.auth_method_of(self.credential),
            self.service_domain,
            self.authorization_server.token_request_format,
        )

    def token_request_error[E: TokenRequestError](
        self, kind: type[E], error: str = "", error_description: str = ""
    ) -> E:
        """Return an error to raise from `_token_request`, for an answer that only a subclass knows.

        It has the effect that such an answer has of any server: for `InvalidClientError`, the
        repair of the credential; for `InvalidGrantError`, another login; for `UnavailableError`,
        another try.

        Args:
            kind: What the answer means.
            error: The server's code.
            error_description: The server's explanation. Like the code it is shown to admins; it
                must have nothing of what was sent.
        """
        return kind(
            domain=self.service_domain,
            request_info=self.token_endpoint.request_info,
            error=plain_line(error),
            error_description=plain_line(error_description),
        )

    def _invalid_grant(self, description: str) -> InvalidGrantError:
        """Return, and note, that a grant cannot serve; the server is not asked."""
        self.error = self.token_request_error(InvalidGrantError, error_description=description)
        return self.error

    async def _noting_error[T](self, request: Awaitable[T]) -> T:
        """Return what a request brings, and note why it brings nothing."""
        self.error = None
        try:
            token = await request
        except TokenRequestError as err:
            self.error = err
            raise
        if self.observer:
            self.observer(None)
        return token
