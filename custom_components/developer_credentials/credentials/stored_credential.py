"""What a subentry holds, read at one place.

A subentry of type `credential` has the domain of the integration, the values of the
`DeveloperCredential`, and the `auth_domain`. What Home Assistant has stored may be older than a
key, or damaged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
import re
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME

from ..oauth2.client import (
    AUTH_METHODS,
    OBJECTIONS,
    DeveloperCredential,
    Objection,
    are_variables,
)
from ..oauth2.redirect_uri import RedirectUri
from ..plain_text import join_surrogates
from .titles import name_of

CONF_AUTH_DOMAIN: Final = "auth_domain"
CONF_AUTH_METHOD: Final = "token_endpoint_auth_method"
# Whose YAML it came from, and what that had at the last import, with a digest in the place of the
# secret.
CONF_IMPORTED: Final = "imported"
# What the server had against a client that was saved all the same, and a digest of that client.
CONF_OBJECTION: Final = "objection"
CONF_REDIRECT_URI: Final = "redirect_uri"
# The redirect URI as it was when the user registered it.
CONF_REGISTERED_URI: Final = "registered_uri"
CONF_VARIABLES: Final = "variables"
SUBENTRY_TYPE: Final = "credential"

# By integration and `auth_domain`: what a credential is known by, whatever becomes of it.
type Key = tuple[str, str]

# What a key that is missing stands for.
_DEFAULTS: Final[Mapping[str, object]] = MappingProxyType(
    {
        CONF_NAME: None,
        CONF_REDIRECT_URI: RedirectUri.DEFAULT.value,
        CONF_AUTH_METHOD: None,
        CONF_IMPORTED: {},
        CONF_VARIABLES: {},
    }
)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _text(value: object) -> str:
    """Return a text that can be written as JSON; an empty one for anything else."""
    return join_surrogates(value) if isinstance(value, str) else ""


def _objected(value: object) -> tuple[Objection, str] | None:
    """Return an objection as it is stored; None for what is none, or of a later version."""
    if not isinstance(value, list | tuple) or len(value) != len(("objection", "digest")):
        return None
    objection: Objection | None = next((one for one in OBJECTIONS if one == value[0]), None)
    return (objection, _text(value[1])) if objection else None


def _is_digest(value: object) -> bool:
    """Return whether this is what the first commits of 0.1.0 remembered of an import."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_domain(value: object) -> bool:
    # No integration's domain has a dot; Home Assistant's loader refuses to look for one.
    return _is_text(value) and "." not in str(value)


# By key: whether its value is as it should be.
_IS_SOUND: Final[Mapping[str, Callable[[object], bool]]] = MappingProxyType(
    {
        CONF_DOMAIN: _is_domain,
        CONF_AUTH_DOMAIN: _is_text,
        CONF_CLIENT_ID: _is_text,
        CONF_CLIENT_SECRET: lambda value: isinstance(value, str),
        CONF_NAME: lambda value: value is None or isinstance(value, str),
        CONF_REDIRECT_URI: lambda value: value in [choice.value for choice in RedirectUri],
        CONF_AUTH_METHOD: lambda value: value in (None, *AUTH_METHODS),
        CONF_IMPORTED: lambda value: isinstance(value, Mapping),
        CONF_VARIABLES: are_variables,
    }
)


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """What a subentry holds.

    Attributes:
        domain: The integration that it is for.
        auth_domain: What the integration's entries have as their `auth_implementation`.
        credential: The credential.
        named: The credential with the name that people know it by: for implementations.
        imported: What YAML had at the last import; empty where it did not come from there.
    """

    domain: str
    auth_domain: str
    credential: DeveloperCredential
    named: DeveloperCredential
    imported: Mapping[str, object] = field(repr=False)

    @property
    def key(self) -> Key:
        """What the credential is known by."""
        return self.domain, self.auth_domain


def stored_of(subentry: ConfigSubentry) -> StoredCredential:
    """Return what a subentry holds; a key that it was stored without has its default.

    Raises:
        ValueError: It is damaged; the text names the key.
    """
    data = {**_DEFAULTS, **subentry.data}
    if _is_digest(data[CONF_IMPORTED]):
        data[CONF_IMPORTED] = _DEFAULTS[CONF_IMPORTED]
    for key, is_sound in _IS_SOUND.items():
        if not is_sound(data.get(key)):
            raise ValueError(f"{key} is damaged")
    if not isinstance(subentry.title, str):
        raise ValueError("title is damaged")  # noqa: TRY004 - every damage is the same
    credential = DeveloperCredential(
        client_id=data[CONF_CLIENT_ID],
        client_secret=data[CONF_CLIENT_SECRET],
        name=data[CONF_NAME],
        redirect_uri=RedirectUri(data[CONF_REDIRECT_URI]),
        token_endpoint_auth_method=data[CONF_AUTH_METHOD],
        variables=data[CONF_VARIABLES],
        # What is only remembered damages nothing.
        registered_uri=_text(data.get(CONF_REGISTERED_URI)),
        objected=_objected(data.get(CONF_OBJECTION)),
    )
    name = name_of(subentry.title, credential.name)
    return StoredCredential(
        data[CONF_DOMAIN],
        data[CONF_AUTH_DOMAIN],
        credential,
        credential if name == credential.name else replace(credential, name=name),
        data[CONF_IMPORTED],
    )


def key_of(subentry: ConfigSubentry) -> Key:
    """Return what a credential is known by."""
    return subentry.data[CONF_DOMAIN], subentry.data[CONF_AUTH_DOMAIN]


def credential_of(subentry: ConfigSubentry) -> DeveloperCredential:
    """Return the credential that a subentry holds.

    Raises:
        ValueError: It is damaged.
    """
    return stored_of(subentry).credential


def unique_id_of(domain: str, credential: DeveloperCredential) -> str:
    """Return what no other credential has: the integration, the client id, and its server.

    A client id has no line breaks, by which the values of variables are told from it.
    """
    values = (f"{key}={value}" for key, value in sorted(credential.variables.items()))
    return "\n".join([f"{domain}.{credential.client_id}", *values])


def data_of(
    credential: DeveloperCredential, before: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Return what a subentry keeps of a credential, and what it has besides.

    Args:
        credential: The credential.
        before: What the subentry has; nothing where it is a new one.
    """
    data = {
        **before,
        CONF_CLIENT_ID: credential.client_id,
        CONF_CLIENT_SECRET: credential.client_secret,
        CONF_NAME: credential.name,
        CONF_REDIRECT_URI: credential.redirect_uri.value,
        CONF_AUTH_METHOD: credential.token_endpoint_auth_method,
    }
    # Few have these; older versions know none of them.
    rare = {
        CONF_VARIABLES: dict(credential.variables),
        CONF_REGISTERED_URI: credential.registered_uri,
        CONF_OBJECTION: list(credential.objected or ()) if credential.objection else None,
    }
    without = {key: value for key, value in data.items() if key not in rare}
    return without | {key: value for key, value in rare.items() if value}


def mended_data_of(subentry: ConfigSubentry) -> dict[str, Any] | None:
    """Return the data of a damaged credential with defaults for what can be told again.

    None where the credential itself is damaged.
    """
    data = {**_DEFAULTS, **subentry.data}
    for key, is_sound in _IS_SOUND.items():
        if not is_sound(data.get(key)):
            if key not in _DEFAULTS:
                return None
            data[key] = _DEFAULTS[key]
    try:
        DeveloperCredential(data[CONF_CLIENT_ID])
    except ValueError:
        return None
    return data
