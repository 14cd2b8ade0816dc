"""The URLs of endpoints: which can be one, and which hosts are local (RFC 6749, section 3)."""

from ipaddress import ip_address
import re
from typing import Final

from homeassistant.util.network import is_local
from yarl import URL

from .errors import InvalidServerError

# Names that no public DNS serves (RFC 6761, RFC 6762, RFC 8375, ICANN's resolution on .internal).
_LOCAL_SUFFIXES = (".localhost", ".local", ".home.arpa", ".internal")

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


def check_endpoint(name: str, value: str) -> None:
    """Raise InvalidServerError, naming the field, where a URL cannot be an endpoint."""
    try:
        url = URL(value)
    except (TypeError, ValueError) as err:
        raise InvalidServerError(f"{name} is not a URL") from err
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidServerError(f"{name} is not an absolute http or https URL")
    if url.raw_user is not None or url.raw_password is not None:
        raise InvalidServerError(f"{name} has a user name or password")
    if url.fragment or "#" in value:
        raise InvalidServerError(f"{name} has a fragment")
    if url.scheme == "http" and not _is_local_host(url.host):
        raise InvalidServerError(f"{name} must use https, since {url.host} is not a local host")


def _is_local_host(host: str) -> bool:
    """Return whether a host is this machine or one in its local network."""
    try:
        return is_local(ip_address(host))
    except ValueError:
        # A number is an address as well (WHATWG URL, section 3.5).
        return ("." not in host and not _NUMBER.fullmatch(host)) or host.endswith(_LOCAL_SUFFIXES)
