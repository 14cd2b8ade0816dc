"""The authorization server of Demo Cloud, a provider that exists only on loopback.

It is a real OAuth2 server, for the demo and the tests: login, token, revocation and metadata
endpoints, one API, and a developer console. Within a program it is a context manager; by itself
it is `python -m demo.authorization_server --port 8120`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
import logging
import signal
import sys
from threading import Thread
from types import TracebackType
from typing import ClassVar, Final, Self

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .console import Console
from .grants import CodeGrant, OAuth2Server, basic_credentials
from .http_server import LoopbackServer
from .models import AUTH_METHODS, BASIC, POST, PUBLIC, Client, State

MY_REDIRECT_URI: Final = "https://my.home-assistant.io/redirect/oauth"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class TokenRequest:
    """A token request as it came in.

    Attributes:
        form: The form fields; of a repeated one, the first.
        auth_method: How the client authenticated, by the names of RFC 7591 section 2.
        client_id: The client id that it named, decoded; empty where it named none.
    """

    form: dict[str, str]
    auth_method: str
    client_id: str


class DemoAuthorizationServer:
    """Demo Cloud's server, which listens on 127.0.0.1 within the context.

    It answers one request after the other, in one thread.

    Attributes:
        issued: Every code and token that a server issued, for tests to look for in logs.
        users: Passwords by user name; may be changed.
        clients: The registered clients by client id; may be changed.
        token_requests: The token requests so far, oldest first.
        unavailable: Whether the token and revocation endpoints and the API answer 503.
        my_instance: The Home Assistant that logins go on to whose redirect URI is My Home
            Assistant's, as that would lead the browser on, for it cannot be reached without the
            Internet. Empty to redirect there.
    """

    issued: ClassVar[set[str]] = set()

    def __init__(self, port: int = 0, access_token_lifetime: int = 3600) -> None:
        """Initialize with neither clients nor tokens.

        Args:
            port: The port to listen on; 0 for any free one.
            access_token_lifetime: What `expires_in` says, in seconds; 1 or more.
        """
        self._port = port
        self._state = State(
            access_token_lifetime=access_token_lifetime,
            issued=self._note_issued,
        )
        self.users = self._state.users
        self.clients = self._state.clients
        self.token_requests: list[TokenRequest] = []
        self.unavailable = False
        self.my_instance = ""
        self._app = self._create_app()
        self._oauth2 = OAuth2Server(self._app, self._state)
        self._server: LoopbackServer | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        """Listen. Raises OSError: the port is taken."""
        # At debug level Authlib logs the tokens that it issues.
        logging.getLogger("authlib").setLevel(logging.INFO)
        self._server = LoopbackServer(self._port, self._app)
        self._port = self._server.port
        self._thread = Thread(target=self._server.serve_forever, name="Demo Cloud", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and end the thread."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end, and the issuer (RFC 8414)."""
        return f"http://127.0.0.1:{self._port}"

    def add_client(
        self,
        client_id: str,
        *,
        client_secret: str = "",
        redirect_uris: Sequence[str] = (),
        token_endpoint_auth_method: str | None = None,
        name: str = "",
    ) -> Client:
        """Register a client, in the place of one with the same id, and return it.

        Args:
            client_id: The client id, of any characters. One of thousands that are not ASCII
                does not fit HTTP Basic: a header line has 64 KiB.
            client_secret: The client secret, likewise.
            redirect_uris: The redirect URIs, compared exactly.
            token_endpoint_auth_method: By the names of RFC 7591 section 2. "none" is a public
                client, which has to use PKCE; None takes both ways of sending the secret.
            name: What the login page calls it, instead of the client id.

        Raises:
            ValueError: There is no such token_endpoint_auth_method.
        """
        if token_endpoint_auth_method not in {None, *AUTH_METHODS}:
            raise ValueError(token_endpoint_auth_method)
        client = self.clients[client_id] = Client(
            client_id=client_id,
            client_secret=client_secret,
            redirect_uris=tuple(redirect_uris),
            token_endpoint_auth_method=token_endpoint_auth_method,
            name=name,
        )
        return client

    def expire_access_tokens(self) -> None:
        """Let every access token be expired."""
        for token in list(self._state.tokens):
            token.expires_at = 0

    def revoke_refresh_tokens(self) -> None:
        """Revoke every refresh token; the access tokens serve until they expire."""
        for token in list(self._state.tokens):
            token.refresh_revoked = True

    @property
    def logins(self) -> int:
        """The number of logins that go on: those with a refresh token that serves."""
        return len({token.login for token in self._state.tokens if not token.refresh_revoked})

    def _note_issued(self, value: str) -> None:
        self.issued.add(value)

    def _create_app(self) -> Flask:
        app = Flask("demo", static_folder=None)
        # Else a page of somebody else's could reach the console by a name that leads here.
        app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
        app.before_request(self._check_origin)
        app.after_request(self._add_headers)
        app.register_blueprint(Console(self._state).blueprint)
        app.add_url_rule("/", view_func=self._index)
        app.add_url_rule("/authorize", view_func=self._authorize, methods=["GET", "POST"])
        app.add_url_rule("/token", view_func=self._token, methods=["POST"])
        app.add_url_rule("/revoke", view_func=self._revoke, methods=["POST"])
        app.add_url_rule("/api/account", view_func=self._account)
        for document in ("oauth-authorization-server", "openid-configuration"):
            app.add_url_rule(f"/.well-known/{document}", view_func=self._metadata)
        return app

    def _check_origin(self) -> None:
        """Refuse what a page of somebody else's makes the visitor's browser send."""
        own = request.host_url.rstrip("/")
        if request.method != "GET" and request.headers.get("Origin", own) != own:
            abort(HTTPStatus.FORBIDDEN)

    def _add_headers(self, response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _index(self) -> ResponseReturnValue:
        return redirect(url_for("console.page"))

    def _authorize(self) -> ResponseReturnValue:
        """Take an authorization request (RFC 6749 section 4.1)."""
        client_id = request.args.get("client_id", "")
        if (client := self.clients.get(client_id)) is None:
            return self._refusal("No application has this client ID.", client_id)
        redirect_uri = request.args.get("redirect_uri") or client.get_default_redirect_uri() or ""
        if not client.check_redirect_uri(redirect_uri):
            return self._refusal(
                "The application has not registered this redirect URI.", redirect_uri
            )
        grant = self._oauth2.begin(redirect_uri)
        if isinstance(grant, Response):
            return grant
        return self._log_in(client, grant)

    def _log_in(self, client: Client, grant: CodeGrant) -> ResponseReturnValue:
        """Show the login page to a good authorization request, or answer it."""
        page = {"client": client, "scopes": request.args.get("scope", "").split()}
        if request.method == "GET":
            return render_template("login.html", **page)
        if request.form.get("action") == "deny":
            return self._finish(grant, None)
        username = request.form.get("username", "")
        if username not in self.users or self.users[username] != request.form.get("password"):
            page["message"] = "The user name or the password is wrong."
            return render_template("login.html", **page), HTTPStatus.FORBIDDEN
        return self._finish(grant, username)

    def _finish(self, grant: CodeGrant, username: str | None) -> Response:
        """Redirect the browser to the application, or to where My Home Assistant would."""
        response = self._oauth2.finish(grant, username)
        location = response.location or ""
        if self.my_instance and location.startswith(f"{MY_REDIRECT_URI}?"):
            callback = f"{self.my_instance}/auth/external/callback"
            response.location = location.replace(MY_REDIRECT_URI, callback, 1)
        return response

    def _refusal(self, message: str, value: str) -> ResponseReturnValue:
        """Tell the user what must not be told by a redirect (section 4.1.2.1)."""
        return render_template("error.html", message=message, value=value), HTTPStatus.BAD_REQUEST

    def _token(self) -> ResponseReturnValue:
        form = request.form
        credentials = basic_credentials(request.headers.get("Authorization"))
        self.token_requests.append(
            TokenRequest(
                form=form.to_dict(),
                auth_method=BASIC if credentials else POST if "client_secret" in form else PUBLIC,
                client_id=credentials[0] if credentials else form.get("client_id", ""),
            )
        )
        if self.unavailable:
            abort(HTTPStatus.SERVICE_UNAVAILABLE)
        return self._oauth2.answer_token_request()

    def _revoke(self) -> ResponseReturnValue:
        if self.unavailable:
            abort(HTTPStatus.SERVICE_UNAVAILABLE)
        return self._oauth2.answer_revocation_request()

    def _account(self) -> ResponseReturnValue:
        if self.unavailable:
            abort(HTTPStatus.SERVICE_UNAVAILABLE)
        user = self._oauth2.authenticated_user()
        self._state.requests[user] += 1
        name = f"{user.capitalize()} account"
        return jsonify({"id": user, "name": name, "requests": self._state.requests[user]})

    def _metadata(self) -> ResponseReturnValue:
        """Return the metadata (RFC 8414 section 2)."""
        return jsonify(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "revocation_endpoint": f"{self.url}/revoke",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": AUTH_METHODS,
                "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
            }
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.authorization_server",
        description="The authorization server of Demo Cloud, on loopback.",
    )
    parser.add_argument("--port", type=int, default=8120, help="0 for any free one")
    parser.add_argument("--lifetime", type=int, default=3600, help="of access tokens, in seconds")
    options = parser.parse_args(arguments)
    if options.lifetime < 1:
        parser.error("--lifetime has to be 1 or more")
    signals = {signal.SIGINT, signal.SIGTERM}
    # Blocked in all threads, they wait for sigwait to take them, however early they come.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with DemoAuthorizationServer(options.port, options.lifetime) as server:
            sys.stdout.write(f"Demo Cloud listens on {server.url}\n")
            sys.stdout.flush()
            signal.sigwait(signals)
    except OSError as err:
        parser.exit(1, f"Demo Cloud cannot listen on port {options.port}: {err.strerror}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
