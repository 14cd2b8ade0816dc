"""What Demo Cloud's authorization server keeps: in memory, and only for as long as it runs.

The methods of clients, codes and tokens are those that Authlib's grants call.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
import hmac
import secrets
import time
from typing import Final

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
PUBLIC: Final = "none"
AUTH_METHODS: Final = [BASIC, POST, PUBLIC]

# In seconds.
CODE_LIFETIME: Final = 60


@dataclass(kw_only=True, repr=False)
class Client:
    """A registered application (RFC 6749 section 2).

    Attributes:
        client_id: The client id, the key in `State.clients`.
        client_secret: The client secret; empty for a public client. May be changed.
        redirect_uris: The redirect URIs, compared exactly. May be changed.
        token_endpoint_auth_method: How the client has to authenticate, by the names of RFC 7591
            section 2; None takes either way of sending the secret.
        name: What the pages call it.
        old_client_secret: The one before the last rotation, which serves until it is emptied.
    """

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    token_endpoint_auth_method: str | None = None
    name: str = ""
    old_client_secret: str = ""

    def get_default_redirect_uri(self) -> str | None:
        """Return the redirect URI of requests without one: the only one (section 3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return the scope to give: what is asked for."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Return whether the redirect URI is registered."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Return whether the secret is right."""
        secrets_of_now = filter(None, (self.client_secret, self.old_client_secret))
        return any(
            hmac.compare_digest(client_secret.encode(), one.encode()) for one in secrets_of_now
        )

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Return whether the client may authenticate this way."""
        if self.token_endpoint_auth_method is None:
            return method in {BASIC, POST}
        return method == self.token_endpoint_auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Return whether the client may ask for this."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the client may use this grant."""
        return grant_type in {"authorization_code", "refresh_token"}


@dataclass(kw_only=True, repr=False)
class AuthorizationCode:
    """An authorization code not yet used (RFC 6749 section 4.1.2); `expires_at` is Unix time."""

    code: str
    client_id: str
    user: str
    redirect_uri: str | None
    scope: str
    expires_at: float
    code_challenge: str | None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str | None:
        """Return the redirect URI of the authorization request, None where it had none."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the scope."""
        return self.scope


@dataclass(kw_only=True, repr=False)
class Token:
    """An access token with its refresh token; `expires_at` is Unix time.

    `login` is the same for all tokens that one login led to.
    """

    client_id: str
    user: str
    scope: str
    login: str
    access_token: str
    refresh_token: str
    expires_at: float
    access_revoked: bool = False
    refresh_revoked: bool = False

    def check_client(self, client: Client) -> bool:
        """Return whether the tokens are this client's."""
        return self.client_id == client.client_id

    def get_scope(self) -> str:
        """Return the scope."""
        return self.scope

    def is_expired(self) -> bool:
        """Return whether the access token has expired."""
        return time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        """Return whether the access token has been revoked."""
        return self.access_revoked


@dataclass(kw_only=True, repr=False)
class State:
    """Everything that the server keeps.

    Attributes:
        access_token_lifetime: In seconds, for the tokens to come.
        issued: Is called with each code and token when it is issued.
        users: Passwords by user name.
        clients: By client id.
        codes: Those not used yet.
        tokens: All ever issued, oldest first.
        requests: The number of API requests by user name.
    """

    access_token_lifetime: int
    issued: Callable[[str], None]
    users: dict[str, str] = field(default_factory=lambda: {"demo": "demo"})
    clients: dict[str, Client] = field(default_factory=dict)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def new_secret(self, **_: object) -> str:
        """Return a new code or token, whatever it is for."""
        secret = secrets.token_urlsafe(32)
        self.issued(secret)
        return secret

    def find_token(self, value: str) -> Token | None:
        """Return the token pair that has this access or refresh token, None where none has."""
        found = (
            token for token in self.tokens if value in {token.access_token, token.refresh_token}
        )
        return next(found, None)

    def delete_client(self, client_id: str) -> None:
        """Delete a client with its codes and tokens. Raises KeyError: there is none."""
        del self.clients[client_id]
        self.codes = {c: code for c, code in self.codes.items() if code.client_id != client_id}
        self.tokens = [token for token in self.tokens if token.client_id != client_id]
