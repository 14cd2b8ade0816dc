"""What a person does in the browser during a login, for programs."""

from html.parser import HTMLParser
from typing import Final, override

import aiohttp
from yarl import URL

MAX_REQUESTS: Final = 12

# In seconds, for each request.
TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class LoginError(Exception):
    """The login did not lead back to the application; the text says where it ended."""


async def log_in(authorize_url: str, username: str, password: str) -> str:
    """Log in at an authorization server and allow what the application asks for.

    It opens the URL, follows redirects, and submits the first form of every page by its first
    button, with the user name and the password where there are fields for them.

    Args:
        authorize_url: The authorization request (RFC 6749 section 4.1.1), with a redirect_uri.
        username: The user name.
        password: The password.

    Returns:
        The redirect to the application (section 4.1.2), with a code or an error, as the server
        sent it. It is not opened.

    Raises:
        LoginError: A page was an error page or had no form, or it took too many requests.
        aiohttp.ClientError: A request failed.
        TimeoutError: A request took too long.
    """
    url = URL(authorize_url, encoded=True)
    application = URL(url.query["redirect_uri"]).with_query(None)
    data: dict[str, str] | None = None
    async with aiohttp.ClientSession(
        # Servers under test have an IP address for a name.
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        timeout=TIMEOUT,
    ) as session:
        for _ in range(MAX_REQUESTS):
            method = "GET" if data is None else "POST"
            async with session.request(method, url, data=data, allow_redirects=False) as response:
                location = response.headers.get("Location")
                page = _Page(await response.text())
            if location is not None:
                url, data = url.join(URL(location, encoded=True)), None
                if url.with_query(None) == application:
                    return location
            elif not response.ok or not page.has_form:
                raise LoginError(f"{response.status}: {page.text}")
            else:
                url, data = url.join(URL(page.action)), page.fields(username, password)
    raise LoginError(f"no redirect to the application after {MAX_REQUESTS} requests: {page.text}")


class _Page(HTMLParser):
    """The text of an HTML page, and its first form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.has_form = False
        self.action = ""
        self._inputs: list[tuple[str, str, str]] = []
        self._in_form = False
        self._open = ""
        self.feed(html)

    def fields(self, username: str, password: str) -> dict[str, str]:
        """Return what the form sends with these in its fields."""
        filled = {"text": username, "password": password}
        fields: dict[str, str] = {}
        for kind, name, value in self._inputs:
            fields.setdefault(name, filled.get(kind, value))
        return fields

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._open = tag
        if tag == "form" and not self.has_form:
            self.has_form = self._in_form = True
            self.action = values.get("action") or ""
        elif self._in_form and tag in {"input", "button"} and (name := values.get("name")):
            kind = values.get("type") or ("text" if tag == "input" else "submit")
            self._inputs.append((kind, name, values.get("value") or ""))

    @override
    def handle_endtag(self, tag: str) -> None:
        self._open = ""
        if tag == "form":
            self._in_form = False

    @override
    def handle_data(self, data: str) -> None:
        if self._open not in {"style", "script", "title"} and (text := data.strip()):
            self.text = f"{self.text} {text}".strip()
