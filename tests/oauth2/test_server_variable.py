"""Tests of the variables of a server: they fill their place in a URL, and cannot lead out of it."""

from collections.abc import Callable
import re

from hypothesis import given
from hypothesis import strategies as st
import pytest
from yarl import URL

from custom_components.developer_credentials import AuthorizationServer
from custom_components.developer_credentials.oauth2.errors import InvalidServerError
from custom_components.developer_credentials.oauth2.server_variable import ServerVariable

TENANT = ServerVariable("tenant", "Tenant")
REGION = ServerVariable("region", "Region", pattern="eu|us", default="eu")


def _server(**fields: object) -> AuthorizationServer:
    make: Callable[..., AuthorizationServer] = AuthorizationServer
    return make(
        **{
            "authorize_url": "https://{tenant}.cloud.example/authorize?region={region}",
            "token_url": "https://cloud.example/{tenant}/token",
            "variables": [TENANT, REGION],
            **fields,
        }
    )


def test_values() -> None:
    """A value stands in the place of its key, in URLs and parameters; a default where none is."""
    server = _server(
        refresh_url="https://{region}.cloud.example/refresh",
        token_params={"tenant": "{tenant}", "odd": "{tenant}-{other}"},
    )
    filled = server.with_values({"tenant": "my-home", "more": "x"})
    assert filled == AuthorizationServer(
        "https://my-home.cloud.example/authorize?region=eu",
        "https://cloud.example/my-home/token",
        refresh_url="https://eu.cloud.example/refresh",
        token_params={"tenant": "my-home", "odd": "my-home-{other}"},
    )
    assert server.with_values({"tenant": "a", "region": "us"}).refresh_url == (
        "https://us.cloud.example/refresh"
    )
    assert filled.with_values({}) is filled


def test_own_host() -> None:
    """A host of the user's own is an endpoint as any other: plain http is for local ones."""
    server = AuthorizationServer(
        "http://{host}/authorize", "http://{host}/token", variables=[ServerVariable("host", "Host")]
    )
    assert server.with_values({"host": "192.168.1.5"}).token_url == "http://192.168.1.5/token"
    with pytest.raises(InvalidServerError, match="must use https"):
        server.with_values({"host": "cloud.example"})


WAYS_OUT = [
    "",
    ".",
    "..",
    "...",
    "a/b",
    "a\\b",
    "evil.example/",
    "evil.example#",
    "evil.example?",
    "user@evil",
    "a:443",
    "%2e%2e",
    "%2f",
    " a",
    "a\n",
    "a\tb",
    "{region}",
    "\uff41",
    "a\uff0eb",
    "a\u3002b",
    "a\u200b",
    "[::1]",
    "a" * 254,
]


@pytest.mark.parametrize("value", WAYS_OUT, ids=ascii)
def test_ways_out(value: str) -> None:
    """A value that leads out of its place is refused, and not repeated."""
    with pytest.raises(InvalidServerError, match=r"^variables has no valid value for 'tenant'$"):
        _server().with_values({"tenant": value})


@given(value=st.text(max_size=30) | st.text("a.-_~:/@?#%[]{}", max_size=10))
def test_any_value(value: str) -> None:
    """Whatever is entered, the endpoints stay where they were declared, or it is refused."""
    try:
        server = _server().with_values({"tenant": value})
    except InvalidServerError:
        return
    token_url, authorize_url = URL(server.token_url), URL(server.authorize_url or "")
    assert token_url.origin() == URL("https://cloud.example")
    assert token_url.raw_parts == ("/", value, "token")
    assert (authorize_url.host or "").endswith(".cloud.example")
    assert authorize_url.path == "/authorize"


@pytest.mark.parametrize("values", [{}, {"tenant": "a", "region": "asia"}], ids=["none", "pattern"])
def test_no_value(values: dict[str, str]) -> None:
    """A variable without default needs a value, and one that matches its pattern."""
    with pytest.raises(InvalidServerError, match=r"^variables has no valid value for"):
        _server().with_values(values)


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        (("Tenant", "Label"), "has the key 'Tenant'"),
        (("", "Label"), "has the key ''"),
        ((1, "Label"), "has the key 1"),
        (("tenant", " "), "has 'tenant' without a label"),
        (("tenant", None), "has 'tenant' without a label"),
        (("tenant", "Label", "("), "has 'tenant' with a bad pattern"),
        (("tenant", "Label", 7), "has 'tenant' with a bad pattern"),
        (("tenant", "Label", "eu|us", "asia"), "has 'tenant' with a bad default"),
        (("tenant", "Label", None, "a/b"), "has 'tenant' with a bad default"),
    ],
)
def test_bad_variables(variable: tuple[object, ...], reason: str) -> None:
    """A variable that cannot be is refused when it is made."""
    make: Callable[..., ServerVariable] = ServerVariable
    with pytest.raises(InvalidServerError, match=f"^variables {re.escape(reason)}"):
        make(*variable)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"token_url": "https://{host}/token"}, "token_url has {host}, which is none of the"),
        ({"revocation_url": "https://a.example/{}"}, "revocation_url has {}, which is none"),
        ({"variables": [TENANT, TENANT]}, "variables has a key twice"),
        (
            {"variables": [TENANT, REGION, *(ServerVariable(f"v{n}", "V") for n in range(3))]},
            "variables has more than 4",
        ),
        ({"variables": TENANT}, "variables is not a list"),
        ({"variables": None}, "variables is not a list"),
        ({"token_url": "http://{tenant}.cloud.example/"}, "token_url must use https"),
        ({"token_url": None}, "token_url is not a URL"),
    ],
)
def test_bad_templates(fields: dict[str, object], reason: str) -> None:
    """A URL has no braces but those of a variable, and is an endpoint with any value."""
    with pytest.raises(InvalidServerError, match=f"^{re.escape(reason)}"):
        _server(**fields)
