"""The client: an application of the user at the provider (RFC 6749, section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import hashlib
import re
from typing import Final, Literal, Self, TypeIs, override

from ..plain_text import join_surrogates, plain_line
from .redirect_uri import RedirectUri

# Characters of a name.
MAX_NAME: Final = 100

# Spaces and joiners, marks of direction, the soft hyphen, the byte order mark.
_ZERO_WIDTH = dict.fromkeys(
    [0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)

# Control characters and line breaks: no client id or secret has them (RFC 6749, appendix A).
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# Characters of a client id; those of real ones are a few dozen.
MAX_CLIENT_ID: Final = 1_000

# What no client id has, but the files that providers offer for download do.
_NO_CLIENT_ID: Final = re.compile(r'[{"]')
# A client secret beside its name, in JSON or any other notation.
_NAMED_SECRET: Final = re.compile(r"""client[ _-]?secret["']?\s*[:=]""", re.IGNORECASE)

_VARIABLE: Final = re.compile(r"[a-z][a-z0-9_]*")

# What a server has against a client; the values are those of `verification.Outcome`.
type Objection = Literal["rejected", "redirect_uri_rejected"]
OBJECTIONS: Final[tuple[Objection, ...]] = ("rejected", "redirect_uri_rejected")

# A client id, and the values of the variables that say at which server.
type Identity = tuple[str, frozenset[tuple[str, str]]]

# How a client authenticates at the token endpoint (RFC 7591, section 2; RFC 6749, section 2.3.1).
type ClientAuthMethod = Literal[
    "client_secret_post", "client_secret_basic", "client_secret_basic_unencoded", "none"
]
AUTH_METHODS: Final[tuple[ClientAuthMethod, ...]] = (
    "client_secret_post",
    "client_secret_basic",
    # For servers that do not decode what RFC 6749, section 2.3.1, has encoded.
    "client_secret_basic_unencoded",
    "none",
)


@dataclass(frozen=True, slots=True)
class DeveloperCredential:
    """A client id and secret, as the provider gave them to the user (RFC 6749, section 2.2).

    White space around id and secret, and zero-width characters, control characters and line breaks
    anywhere in them, the traces of copying from a web page, are removed. A name is one plain line.
    All of it can be written as UTF-8. The representation leaves the secret out. Values of variables
    become clean as the client id does; one that is empty then is none.

    Attributes:
        client_id: The client identifier.
        client_secret: The client secret; empty for a public client (RFC 6749, section 2.1).
        name: What the user calls the credential, `MAX_NAME` characters at most; None for no name.
        redirect_uri: The redirect URI that is registered with the provider.
        token_endpoint_auth_method: How the server accepts this client, where that was found to be
            another way than the declared one.
        variables: The values of the variables of the server (`ServerVariable`), by key; one that is
            not there has its default.
        registered_uri: The redirect URI as it was when the user registered it; empty where that is
            not known. It is no part of what the credential is.
        objected: What the server had against a client that the user saved all the same, and a
            digest of that client; see `objection`. It is no part of what the credential is.

    Raises:
        ValueError: The client id is empty; the redirect URI, or the way to authenticate, is none
            that there is; or the variables are no texts by key.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str | None = None
    redirect_uri: RedirectUri = field(default=RedirectUri.DEFAULT, kw_only=True)
    token_endpoint_auth_method: ClientAuthMethod | None = field(default=None, kw_only=True)
    variables: Mapping[str, str] = field(default_factory=dict, hash=False, kw_only=True)
    registered_uri: str = field(default="", repr=False, compare=False, kw_only=True)
    objected: tuple[Objection, str] | None = field(
        default=None, repr=False, compare=False, kw_only=True
    )

    def __post_init__(self) -> None:
        """Clean the values and check them."""
        object.__setattr__(self, "client_id", _clean(self.client_id))
        object.__setattr__(self, "client_secret", _clean(self.client_secret))
        object.__setattr__(self, "name", plain_line(self.name or "", MAX_NAME) or None)
        object.__setattr__(self, "redirect_uri", RedirectUri(self.redirect_uri))
        if not self.client_id:
            raise ValueError("client_id is empty")
        if self.token_endpoint_auth_method not in (None, *AUTH_METHODS):
            raise ValueError("token_endpoint_auth_method is unknown")
        if not are_variables(self.variables):
            raise ValueError("variables are not texts by key")
        clean = {key: _clean(value) for key, value in self.variables.items()}
        object.__setattr__(self, "variables", {key: value for key, value in clean.items() if value})

    @property
    def identity(self) -> Identity:
        """What it is to the server: where that differs, tokens are another client's."""
        return self.client_id, frozenset(self.variables.items())

    @property
    def objection(self) -> Objection | None:
        """What the server has against it; None where nothing is known, or was of another client."""
        if self.objected is None:
            return None
        objection, about = self.objected
        return objection if about == self._digest(objection) else None

    def with_objection(self, objection: Objection | None) -> Self:
        """Return the credential with what the server has against it; None for nothing."""
        objected = (objection, self._digest(objection)) if objection else None
        return replace(self, objected=objected)

    def _digest(self, objection: Objection) -> str:
        """Return what tells whether an objection is about this client, without being its secret."""
        parts = [self.client_id, self.client_secret, *sorted(map(repr, self.variables.items()))]
        if objection == "redirect_uri_rejected":
            parts.append(self.redirect_uri)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @override
    def __str__(self) -> str:
        """Return what a person knows the credential by."""
        return self.name or self.client_id


def are_variables(value: object) -> TypeIs[Mapping[str, str]]:
    """Return whether a value is texts by the keys that variables can have."""
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and bool(_VARIABLE.fullmatch(key)) and isinstance(text, str)
        for key, text in value.items()
    )


def misplaced_field(
    credential: DeveloperCredential, before: DeveloperCredential | None = None
) -> str | None:
    """Return the field that has more than its value, as a file of the provider; None without one.

    What is entered is refused then: it may have the secret, where that is shown or told.

    Args:
        credential: What was entered.
        before: What is there already; that stays as it is.
    """
    for name in ("client_id", "client_secret", "name"):
        text = getattr(credential, name) or ""
        if before and text == getattr(before, name):
            continue
        is_client_id = len(text) <= MAX_CLIENT_ID and not _NO_CLIENT_ID.search(text)
        if _NAMED_SECRET.search(text) or (name == "client_id" and not is_client_id):
            return name
    return None


def _clean(text: str) -> str:
    """Remove what a pasted text has got around it and in it."""
    # The white space around it first, which may be that of a line break.
    return _CONTROL.sub("", join_surrogates(text).translate(_ZERO_WIDTH).strip()).strip()
