"""Runs oidc-provider, a certified OpenID Connect server from npm, on loopback."""

from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import select
import subprocess
import tempfile
from types import TracebackType
from typing import IO, Final, Self

from demo.browser import log_in
from tests.npm import NODE, install

HERE: Final = Path(__file__).parent

# In seconds.
START_TIMEOUT: Final = 20.0
STOP_TIMEOUT: Final = 5.0

type ClientMetadata = Mapping[str, str | Sequence[str]]


class OidcProvider:
    """An oidc-provider process, for as long as the context lasts.

    Any user name and password log in. Refresh tokens are always issued, and rotate. PKCE is not
    asked for, but checked where a client uses it (RFC 7636).

    Attributes:
        url: The issuer, without a slash at the end. The authorization endpoint is `/auth` there,
            the token endpoint `/token`, the revocation endpoint `/token/revocation`.
    """

    def __init__(
        self, clients: Sequence[ClientMetadata] = (), *, access_token_lifetime: int = 3600
    ) -> None:
        """Initialize.

        Args:
            clients: Client metadata by the names of RFC 7591 section 2: client_id,
                client_secret, redirect_uris and, where it is not client_secret_basic,
                token_endpoint_auth_method.
            access_token_lifetime: What `expires_in` says, in seconds.
        """
        self.url = ""
        self._clients = list(clients)
        self._access_token_lifetime = access_token_lifetime
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Install the npm packages where they are not, and start.

        Raises:
            RuntimeError: npm failed, or the server did not start in time; the text has what it
                said.
            subprocess.TimeoutExpired: npm took too long.
        """
        install(HERE)
        with tempfile.TemporaryFile("w+") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - a program of our own
                [NODE, "oidc_provider.mjs", "0", str(self._access_token_lifetime)],
                cwd=HERE,
                env=os.environ | {"OIDC_CLIENTS": json.dumps(self._clients)},
                # It ends when this pipe does: also where this process is killed.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            try:
                self.url = _first_line(self._process.stdout)
            except BaseException:
                self._stop()
                raise
            if not self.url:
                self._stop()
                errors.seek(0)
                raise RuntimeError(f"oidc-provider did not start:\n{errors.read()[-5000:]}")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the process."""
        self._stop()

    async def log_in(self, authorize_url: str) -> str:
        """Log in as the browser does, and return the redirect to the application, not opened.

        Raises:
            LoginError: The login did not lead back to the application.
            aiohttp.ClientError: A request failed.
            TimeoutError: A request took too long.
        """
        return await log_in(authorize_url, "demo", "demo")

    def _stop(self) -> None:
        if self._process is None:
            return
        # Popen's own context closes the pipes, and waits.
        with self._process as process:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
        self._process = None


def _first_line(stream: IO[str] | None) -> str:
    """Return the first line, empty where none comes in time."""
    if stream and select.select([stream], [], [], START_TIMEOUT)[0]:
        return stream.readline().strip()
    return ""
