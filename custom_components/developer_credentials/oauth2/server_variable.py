"""Variables of a server: what of its URLs and parameters only the user knows.

A tenant, a region, a host of one's own: `{key}` in a URL or parameter stands for the user's value,
as in `https://{tenant}.example.com/token`. A value fills one part of a host or one segment of a
path (RFC 3986, sections 3.2.2 and 3.3), and cannot lead out of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import re
from typing import Final

from .errors import InvalidServerError

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
# Unreserved characters (RFC 3986, section 2.3), of which dots alone would be another folder.
_VALUE: Final = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]{1,253}")
# As many as the credential form has fields for.
MAX_VARIABLES: Final = 4

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class ServerVariable:
    """A value that the user enters with the credential.

    Attributes:
        key: What stands for it, in braces: a lower-case letter, then letters, digits, underscores.
        label: What the form calls it.
        pattern: A regular expression that a value matches as a whole; None where any will do.
        default: The value where the user enters none; None where one must be entered.

    Raises:
        InvalidServerError: A ValueError. The key or the pattern is none, or the default is not a
            value that a user could enter.
    """

    key: str
    label: str
    pattern: str | None = None
    default: str | None = None

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.key, str) or not _KEY.fullmatch(self.key):
            raise InvalidServerError(f"variables has the key {self.key!r}; write it as tenant_id")
        if not isinstance(self.label, str) or not self.label.strip():
            raise InvalidServerError(f"variables has {self.key!r} without a label")
        try:
            re.compile(self.pattern or "")
        except (TypeError, re.error) as err:
            raise InvalidServerError(f"variables has {self.key!r} with a bad pattern") from err
        if self.default is not None and not self.accepts(self.default):
            raise InvalidServerError(f"variables has {self.key!r} with a bad default")

    def accepts(self, value: str) -> bool:
        """Return whether a value fills its part of a URL, and matches the pattern."""
        return (
            isinstance(value, str)
            and bool(_VALUE.fullmatch(value))
            and (self.pattern is None or bool(re.fullmatch(self.pattern, value)))
        )


def checked_variables(variables: Sequence[ServerVariable]) -> tuple[ServerVariable, ...]:
    """Return variables as a tuple.

    Raises:
        InvalidServerError: They are no list of variables, too many, or two have one key.
    """
    if isinstance(variables, ServerVariable | str) or not isinstance(variables, Sequence):
        raise InvalidServerError("variables is not a list: write [ServerVariable(...)]")
    for variable in variables:
        if not isinstance(variable, ServerVariable):
            raise InvalidServerError("variables has something that is no ServerVariable")
    if len(variables) > MAX_VARIABLES:
        raise InvalidServerError(f"variables has more than {MAX_VARIABLES}")
    if len({variable.key for variable in variables}) < len(variables):
        raise InvalidServerError("variables has a key twice")
    return tuple(variables)


def unfit_variables(
    variables: Sequence[ServerVariable], values: Mapping[str, str]
) -> list[ServerVariable]:
    """Return the variables without a value that they accept; the default counts as one."""
    return [
        variable
        for variable in variables
        if (value := values.get(variable.key) or variable.default) is None
        or not variable.accepts(value)
    ]


def without_defaults(
    variables: Sequence[ServerVariable], values: Mapping[str, str]
) -> dict[str, str]:
    """Return the values that are not the defaults: what is said of a server, said in one way."""
    defaults = {variable.key: variable.default for variable in variables}
    return {key: value for key, value in values.items() if value != defaults.get(key)}


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a text with the values of the variables; other braces stay."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)


def unknown_placeholders(template: str, variables: Sequence[ServerVariable]) -> list[str]:
    """Return what stands in braces and is no variable."""
    keys = {variable.key for variable in variables}
    return [name for name in _PLACEHOLDER.findall(template) if name not in keys]
