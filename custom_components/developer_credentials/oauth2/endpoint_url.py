"""The URLs of endpoints: which can be one, and which hosts are local (RFC 6749, section 3)."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
import re
from typing import Final
from urllib.parse import urlsplit

from homeassistant.util.network import is_local
from yarl import URL

from ..plain_text import plain_line
from .errors import InvalidServerError

# Names that no public DNS serves (RFC 6761, RFC 6762, RFC 8375, ICANN's resolution on .internal).
_LOCAL_SUFFIXES: Final = (".localhost", ".local", ".home.arpa", ".internal")

# A name's labels (RFC 1123, section 2.1; home networks have underscores too). The last one is no
# number, which resolvers take for an IPv4 address (WHATWG URL, section 3.5).
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)*(?!(?:[0-9]+|0x[0-9a-f]*)\Z){_LABEL}")
_MAX_NAME: Final = 253

# The single labels that public DNS may serve: the top-level domains of countries.
_COUNTRY: Final = re.compile(r"[a-z]{2}|xn--.*")


def check_endpoint(name: str, value: object, *, public: bool = False) -> None:
    """Raise InvalidServerError, naming the field, where a URL cannot be an endpoint.

    Args:
        name: The field.
        value: The URL.
        public: Whether it has to be https, and on a public host.
    """
    if not isinstance(value, str):
        raise InvalidServerError(f"{name} is not a URL")
    _check_endpoint(name, value, public=public)


@lru_cache
def _check_endpoint(name: str, value: str, *, public: bool) -> None:
    """Do as `check_endpoint`; what was found good is remembered, since it is asked again."""
    if (url := _parsed(value)) is None:
        raise InvalidServerError(f"{name} is not a URL")
    host = url.raw_host
    if url.scheme not in ("http", "https") or not host:
        raise InvalidServerError(f"{name} is not an absolute http or https URL")
    if url.raw_user is not None or url.raw_password is not None:
        raise InvalidServerError(f"{name} has a user name or password")
    if url.fragment or "#" in value:
        raise InvalidServerError(f"{name} has a fragment")
    if public and (url.scheme == "http" or not is_public_host(host)):
        raise InvalidServerError(f"{name} must be https and public, as the issuer is")
    if url.scheme == "http" and not is_local_host(host):
        shown = plain_line(host, 100)
        raise InvalidServerError(f"{name} must use https, since {shown} is not a local host")
    if _name(host) is None and _address(host) is None:
        raise InvalidServerError(f"{name} has a host that is neither a name nor an IP address")


def is_local_host(host: str) -> bool:
    """Return whether a host is this machine or one in its local network.

    Local are loopback, private and link-local IP addresses; names that end as no public name does
    (`.localhost`, `.local`, `.home.arpa`, `.internal`); and names of a single label, such as
    `localhost`, `nas` or `homeassistant`, but for those of two letters and of another script
    (`ai`, `xn--p1ai`), which are the top-level domains of countries. Nothing else is, and so no
    disguise: an address is one in its usual form, a name has nothing that is escaped.

    Args:
        host: The host of a URL as it is connected to: encoded, without brackets.
    """
    if (address := _address(host)) is not None:
        return is_local(address)
    if (name := _name(host)) is None:
        return False
    return name.endswith(_LOCAL_SUFFIXES) or ("." not in name and not _COUNTRY.fullmatch(name))


def is_public_host(host: str) -> bool:
    """Return whether a host is one of the internet, which is all that a public issuer may name.

    Public are IP addresses that are globally reachable, and names that are not local. What a name
    resolves to is not looked at: in a local network nobody has a certificate for it.

    Args:
        host: As for `is_local_host`.
    """
    if (address := _address(host)) is None:
        return _name(host) is not None and not is_local_host(host)
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    # An address that stands for an IPv4 address is a reserved one (RFC 6052, section 3.1).
    return address.is_global and not address.is_multicast and not address.is_reserved


def _parsed(value: str) -> URL | None:
    """Return a URL, None where it is none."""
    # What is not seen, or makes two words of it, is left out by some parsers.
    if not value.isprintable() or " " in value:
        return None
    try:
        url = URL(value)
        # Not every host that is encoded can be decoded.
        host, written = url.host or "", urlsplit(value).netloc
    except ValueError:
        return None
    # Other forms of letters and digits, such as full-width ones, are a disguise.
    return url if written.isascii() or host in written.lower() else None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host is, None where it is none."""
    try:
        return ip_address(host.removesuffix("."))
    except ValueError:
        return None


def _name(host: str) -> str | None:
    """Return the name that a host is, in lower case and without the dot of the root."""
    name = host.lower().removesuffix(".")
    return name if len(name) <= _MAX_NAME and _NAME.fullmatch(name) else None
