"""The OAuth2 protocol of Demo Cloud's authorization server: Authlib's grants on our state."""
# Authlib ships no types. Only this module imports it; what other modules call here is typed.
# mypy: disable-error-code="import-untyped", allow-subclassing-any

import base64
from collections.abc import Callable
import secrets
import time
from typing import ClassVar, override
from urllib.parse import unquote_plus

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response

from .models import (
    AUTH_METHODS,
    BASIC,
    CODE_LIFETIME,
    PUBLIC,
    AuthorizationCode,
    Client,
    State,
    Token,
)


def basic_credentials(authorization: str | None) -> tuple[str, str] | None:
    """Return client id and secret of an Authorization header, None where it has none.

    Both are form-urlencoded within HTTP Basic (RFC 6749 section 2.3.1). Authlib's own way
    leaves a "+" what it is, though that is a space then.
    """
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else None


def _authenticate_basic(
    query_client: Callable[[str], Client | None], request: OAuth2Request
) -> Client | None:
    credentials = basic_credentials(request.headers.get("Authorization"))
    client = query_client(credentials[0]) if credentials else None
    if credentials and client and client.check_client_secret(credentials[1]):
        return client
    return None


class CodeGrant(AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 section 4.1); the resource owner is a user name."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    @override
    def generate_authorization_code(self) -> str:
        """Return a new code."""
        return self._state.new_secret()

    @override
    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Keep a code with what the token request has to match."""
        self._state.codes[code] = AuthorizationCode(
            code=code,
            client_id=request.client.client_id,
            user=request.user,
            redirect_uri=request.payload.redirect_uri,
            scope=request.scope,
            expires_at=time.time() + CODE_LIFETIME,
            code_challenge=request.payload.data.get("code_challenge"),
        )

    @override
    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """Return a client's code, None where it is unknown, used or expired."""
        found = self._state.codes.get(code)
        if found and found.client_id == client.client_id and time.time() < found.expires_at:
            return found
        return None

    @override
    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Forget a used code."""
        del self._state.codes[authorization_code.code]

    @override
    def authenticate_user(self, authorization_code: AuthorizationCode) -> str:
        """Return who logged in."""
        return authorization_code.user

    @property
    def _state(self) -> State:
        state: State = self.server.state
        return state


class RefreshGrant(RefreshTokenGrant):
    """The refresh grant (RFC 6749 section 6) with rotation (RFC 9700 section 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    @override
    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        """Return the pair of a refresh token, None where it is unknown, used or revoked."""
        token: Token | None = self.server.state.find_token(refresh_token)
        if token and token.refresh_token == refresh_token and not token.refresh_revoked:
            return token
        return None

    @override
    def authenticate_user(self, refresh_token: Token) -> str:
        """Return who logged in."""
        return refresh_token.user

    @override
    def revoke_old_credential(self, refresh_token: Token) -> None:
        """Let the used refresh token serve no more."""
        refresh_token.refresh_revoked = True


class S256Challenge(CodeChallenge):
    """PKCE (RFC 7636) with S256 only; a public client has to use it."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]

    @override
    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Check the authorization request (section 4.4.1).

        Raises:
            InvalidRequestError: The method is not S256, or a public client sent no challenge.
        """
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if data.get("code_challenge"):
            # Without a method it is "plain" (section 4.3).
            if data.get("code_challenge_method") != "S256":
                raise InvalidRequestError("The code_challenge_method has to be S256")
        elif grant.client.token_endpoint_auth_method == PUBLIC:
            raise InvalidRequestError("A public client has to send a code_challenge")


class Revocation(RevocationEndpoint):
    """The revocation endpoint (RFC 7009)."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    @override
    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        """Return the pair of an access or refresh token; the hint is not needed."""
        token: Token | None = self.server.state.find_token(token_string)
        return token

    @override
    def revoke_token(self, token: Token, request: OAuth2Request) -> None:
        """Revoke an access token, or all that came of a refresh token's login (section 2.1)."""
        token.access_revoked = True
        if request.form["token"] == token.refresh_token:
            for other in self.server.state.tokens:
                if other.login == token.login:
                    other.access_revoked = other.refresh_revoked = True


class AccessTokenValidator(BearerTokenValidator):
    """Finds the pair of an access token (RFC 6750)."""

    def __init__(self, state: State) -> None:
        """Initialize with the state."""
        super().__init__(realm="Demo Cloud")
        self._state = state

    @override
    def authenticate_token(self, token_string: str) -> Token | None:
        """Return the pair of an access token, None where it is unknown."""
        token = self._state.find_token(token_string)
        return token if token and token.access_token == token_string else None


class OAuth2Server(AuthorizationServer):
    """The protocol. The methods without arguments for a request take Flask's current one."""

    def __init__(self, app: Flask, state: State) -> None:
        """Initialize for a Flask app."""
        self.state = state
        super().__init__(app, state.clients.get, self._save_token)
        self._protector = ResourceProtector()
        self._protector.register_token_validator(AccessTokenValidator(state))
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                state.new_secret, state.new_secret, lambda *_: state.access_token_lifetime
            ),
        )
        self.register_client_auth_method(BASIC, _authenticate_basic)
        self.register_grant(CodeGrant, [S256Challenge(required=True)])
        self.register_grant(RefreshGrant)
        self.register_endpoint(Revocation)

    def begin(self, redirect_uri: str) -> CodeGrant | Response:
        """Check an authorization request, and return its grant or the redirect with the error.

        The caller has checked the client and this redirect URI (RFC 6749 section 4.1.2.1).
        """
        request = self.create_oauth2_request(None)
        try:
            grant: CodeGrant = self.get_consent_grant()
        except OAuth2Error as err:
            error = err
        except ValueError:
            # Authlib quotes the request in its error, then finds that it may not.
            error = InvalidRequestError("The request has a parameter with odd characters")
        else:
            return grant
        error.redirect_uri = redirect_uri
        error.state = request.payload.state
        response: Response = self.handle_error_response(request, error)
        return response

    def finish(self, grant: CodeGrant, user: str | None) -> Response:
        """Return the redirect with a code for the user, or with access_denied for None."""
        response: Response = self.create_authorization_response(grant_user=user, grant=grant)
        return response

    def answer_token_request(self) -> Response:
        """Return the answer to a token request (RFC 6749 section 5)."""
        response: Response = self.create_token_response()
        return response

    def answer_revocation_request(self) -> Response:
        """Return the answer to a revocation request (RFC 7009 section 2.2)."""
        response: Response = self.create_endpoint_response("revocation")
        return response

    def authenticated_user(self) -> str:
        """Return the user name that the access token stands for.

        Raises:
            werkzeug.exceptions.HTTPException: 401, with the answer of RFC 6750 section 3.
        """
        with self._protector.acquire() as token:
            user: str = token.user
        return user

    def _save_token(self, token: dict[str, str], request: OAuth2Request) -> None:
        old: Token | None = request.refresh_token
        self.state.tokens.append(
            Token(
                client_id=request.client.client_id,
                user=request.user,
                scope=token.get("scope", ""),
                login=old.login if old else secrets.token_hex(),
                access_token=token["access_token"],
                refresh_token=token["refresh_token"],
                expires_at=time.time() + self.state.access_token_lifetime,
            )
        )
