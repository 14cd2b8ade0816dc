"""Implementations that integrations made for application credentials, and what they learn here.

An adopted implementation stays the object that its integration made: its class becomes a subclass
of the class that it had, made of three. `_Front` stands before everything that the integration has
overridden; `ImplementationAtTheEnd` right before Home Assistant's own class, so that the
integration's `super()` leads to it. That one makes the request that Home Assistant would make,
raises what that would raise, and notes what it means. `_Front` acts on the meaning.

A class that makes its token requests itself never leads there: what its failures mean is not known,
and all that it gets is one refresh in flight for each token.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
import time
import types
from typing import TYPE_CHECKING, Any, Final, cast, override

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
)
from homeassistant.loader import async_get_loaded_integration

from ..const import DOMAIN, NOTHING
from ..credentials.entry_tokens import async_keep_token
from ..oauth2.error_codes import kind_of
from ..oauth2.errors import InvalidClientError, TokenRequestError
from ..oauth2.single_flight import async_join
from ..plain_text import escape_markdown
from ..private_api import async_is_token_request_known
from .token_request import (
    ASKING,
    CONNECTION_ERROR,
    Asking,
    ImplementationAtTheEnd,
    client_of,
    guarded,
)

# Where an implementation has its adoption.
_ADOPTION: Final = "_developer_credentials_adoption"
# What Home Assistant's own class sets.
_ATTRIBUTES: Final = frozenset(
    {"_domain", "authorize_url", "client_id", "client_secret", "hass", "token_url"}
)
# Whose constructors keep the secret in its attribute only.
_CONSTRUCTORS: Final = (
    "homeassistant.components.application_credentials",
    "homeassistant.helpers.",
)


class NotAdoptableError(Exception):
    """An implementation that is left as it is; the text is a word for diagnostics."""


@dataclass(repr=False)
class Adoption:
    """What is known of an adopted implementation.

    Attributes:
        domain: The integration.
        item_id: The application credential.
        original: The class that the integration gave the implementation.
        note: Is told what a token request of the implementation came to, None for a token; returns
            whether the server has accepted its client before.
        note_reading: Is told that others than a token request have the secret, and may keep it.
    """

    domain: str
    item_id: str
    original: type[LocalOAuth2Implementation]
    note: Callable[[LocalOAuth2Implementation, TokenRequestError | None], bool]
    note_reading: Callable[[], None]


@dataclass(frozen=True, repr=False)
class _Outcome:
    """What a call came to.

    Attributes:
        token: What it returned.
        failure: What is to be raised; None where the token is to be returned.
        meaning: Why there is no token; None where there is one, or where that is not known.
        is_outdated: Whether the implementation is another client by now.
    """

    token: dict[str, Any]
    failure: Exception | None = None
    meaning: TokenRequestError | None = None
    is_outdated: bool = False

    def result(self) -> dict[str, Any]:
        """Return the token, or raise what is to be raised."""
        if self.failure:
            raise self.failure
        return self.token


def adoption_of(implementation: object) -> Adoption | None:
    """Return what is known of an adopted implementation; None for one that is not adopted."""
    adoption = getattr(implementation, "__dict__", {}).get(_ADOPTION)
    return adoption if isinstance(adoption, Adoption) else None


if TYPE_CHECKING:
    _Base = LocalOAuth2Implementation
else:
    # Home Assistant's own class comes last. Without the common one, which has no behavior, Python
    # would take the layout of instances for another.
    _Base = AbstractOAuth2Implementation


class _Front(_Base):
    """What stands before everything that the integration has overridden."""

    @property
    def client_secret(self) -> str:
        """The secret; whoever reads it, other than for a token request, may keep it."""
        if ASKING.get() is None and (adoption := adoption_of(self)):
            adoption.note_reading()
        return cast(str, vars(self)["client_secret"])

    @client_secret.setter
    def client_secret(self, value: str) -> None:
        vars(self)["client_secret"] = value

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Return the token for a login.

        Raises:
            AbortFlow: There is none, and the dialog says why.
            Exception: What Home Assistant or the integration raises.
        """
        adoption = adoption_of(self)
        outcome = await _async_ask(self, super().async_resolve_external_data(external_data))
        meaning = outcome.meaning
        if adoption and meaning and _is_in_progress(self.hass, external_data):
            domain = adoption.domain
            if abort := guarded(domain, lambda: _abort(self.hass, domain, meaning)):
                raise abort
        return outcome.result()

    @override
    async def _async_refresh_token(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return the token after its refresh; of all who ask for it at a time, one makes it.

        Raises:
            TokenRequestError: The server has said why there is none.
            Exception: What Home Assistant or the integration raises.
        """
        # Bound now: it may be released while it waits.
        call, adoption = super()._async_refresh_token, adoption_of(self)
        if (asking := ASKING.get()) and asking.implementation is self:
            # The integration tries again by itself, within the refresh that is in flight.
            return await call(token)
        access_token, refresh_token = token.get("access_token"), token.get("refresh_token")

        async def refresh() -> dict[str, Any]:
            outcome = await _async_ask(self, call(dict(token)), access_token)
            if isinstance(outcome.meaning, InvalidClientError) and outcome.is_outdated:
                # It was corrected while the server looked at the old one.
                outcome = await _async_ask(self, call(dict(token)), access_token)
            return outcome.result()

        def keep(new: dict[str, Any]) -> None:
            with suppress(KeyError, TypeError, ValueError):
                new = {**new, "expires_at": time.time() + int(new["expires_in"])}
                async_keep_token(self.hass, (domain, self.domain), token, new)

        if adoption is None or not isinstance(refresh_token, str):
            return await refresh()
        domain = adoption.domain
        key = "adopted refresh", self.token_url, self.client_id, refresh_token
        refreshed = await async_join(self.hass, key, refresh, keep)
        # Each who asked adds to it.
        return dict(refreshed)


async def _async_ask(
    implementation: LocalOAuth2Implementation,
    request: Awaitable[dict[str, Any]],
    access_token: object = None,
) -> _Outcome:
    """Await a call that leads to token requests; find out what it came to.

    Args:
        implementation: The implementation.
        request: The call, not begun yet.
        access_token: The one that is refreshed.
    """
    if (adoption := adoption_of(implementation)) is None:
        return _Outcome(await request)
    domain = adoption.domain
    asking = guarded(domain, lambda: Asking(implementation, domain, client_of(implementation)))
    if asking is None:
        return _Outcome(await request)
    token: dict[str, Any] = {}
    failure: Exception | None = None
    reset = ASKING.set(asking)
    try:
        token = await request
    except Exception as err:  # noqa: BLE001 - it is raised by who asked, or what it means is
        failure = err
    finally:
        ASKING.reset(reset)
    outcome = _Outcome(token, failure)
    if adoption_of(implementation) is not adoption:
        # It was released meanwhile.
        return outcome
    return guarded(domain, lambda: _concluded(outcome, asking, adoption, access_token)) or outcome


def _concluded(
    outcome: _Outcome, asking: Asking, adoption: Adoption, access_token: object
) -> _Outcome:
    """Return what a call came to, with what its last request means; take note of that."""
    token, failure, implementation = outcome.token, outcome.failure, asking.implementation
    if client_of(implementation) != asking.client:
        # It says nothing of the client that it is now.
        return _Outcome(token, failure, asking.meaning, is_outdated=True)
    new = token.get("access_token") if failure is None and isinstance(token, dict) else None
    has_token = new not in (None, "", access_token)
    if has_token and asking.was_asked:
        _noted(adoption, implementation, None)
    if has_token or asking.meaning is None:
        return outcome
    was_accepted = _noted(adoption, implementation, asking.meaning)
    return _judged(outcome, asking.meaning, asking.error, was_accepted=was_accepted)


def _noted(
    adoption: Adoption,
    implementation: LocalOAuth2Implementation,
    meaning: TokenRequestError | None,
) -> bool:
    """Tell what a request came to; return whether the client is known to have been accepted."""
    return guarded(adoption.domain, lambda: adoption.note(implementation, meaning)) or False


def _judged(
    outcome: _Outcome, meaning: TokenRequestError, error: Exception | None, *, was_accepted: bool
) -> _Outcome:
    """Return what becomes of a call: what the answer means is raised where that is certain.

    A rejected client that was accepted before is certain, and so is everything that the server has
    called by a known name. All else stays Home Assistant's; and what the integration has made of
    an answer stays, unless that was about the client.

    Args:
        outcome: The call as it ended.
        meaning: What the answer means.
        error: What was raised for the last token request.
        was_accepted: Whether the server has accepted the client before.
    """
    failure = outcome.failure
    if isinstance(meaning, InvalidClientError):
        is_certain = was_accepted or failure is None
    elif failure is None or failure is error or _is_no_token(failure):
        is_certain = kind_of(meaning.error) is not None
    else:
        return outcome
    return _Outcome(outcome.token, meaning if is_certain else failure, meaning)


def _is_no_token(failure: Exception) -> bool:
    """Return whether Home Assistant raises it where an answer has no token."""
    return CONNECTION_ERROR is not None and isinstance(failure, CONNECTION_ERROR)


def _is_in_progress(hass: HomeAssistant, external_data: object) -> bool:
    """Return whether it is a flow that asks for a token, which can say why there is none."""
    state = external_data.get("state") if isinstance(external_data, Mapping) else None
    flow_id = state.get("flow_id") if isinstance(state, Mapping) else None
    return any(one["flow_id"] == flow_id for one in hass.config_entries.flow.async_progress())


def _abort(hass: HomeAssistant, domain: str, meaning: TokenRequestError) -> AbortFlow:
    """Return what ends a dialog with the server's words."""
    integration = async_get_loaded_integration(hass, domain)
    detail = ": ".join(text for text in (meaning.error, meaning.error_description) if text)
    return AbortFlow(
        f"token_{meaning.reason}",
        {
            "detail": escape_markdown(detail) or NOTHING,
            "integration": escape_markdown(integration.name),
        },
        translation_domain=DOMAIN,
    )


def adopt(
    implementation: LocalOAuth2Implementation,
    adoption: Adoption,
    classes: dict[type, type[LocalOAuth2Implementation]],
) -> None:
    """Adopt an implementation, which stays as it is where that cannot be.

    Args:
        implementation: The implementation.
        adoption: What is to be known of it.
        classes: The classes that were made, by those that integrations have.

    Raises:
        NotAdoptableError: Its class, or an attribute, is not as it is known here.
    """
    values, original = vars(implementation), adoption.original
    if not values.keys() >= _ATTRIBUTES or not async_is_token_request_known(values["hass"]):
        raise NotAdoptableError("unknown_attributes")
    try:
        if original not in classes:
            classes[original] = _subclass_of(original)
        # Whatever its class does when an attribute is set.
        object.__setattr__(implementation, "__class__", classes[original])
    except TypeError as err:
        raise NotAdoptableError("unknown_class") from err
    values[_ADOPTION] = adoption
    if not original.__init__.__module__.startswith(_CONSTRUCTORS):
        adoption.note_reading()


def _subclass_of(original: type[LocalOAuth2Implementation]) -> type[LocalOAuth2Implementation]:
    """Return the class of an integration's implementations once they are adopted."""
    bases = () if original is LocalOAuth2Implementation else (original,)
    named = {"__module__": original.__module__, "__qualname__": original.__qualname__}
    return types.new_class(
        original.__name__,
        (_Front, *bases, ImplementationAtTheEnd),
        exec_body=lambda body: body.update(named),
    )


def release(implementation: object) -> None:
    """Make an adopted implementation what it was."""
    if adoption := adoption_of(implementation):
        object.__setattr__(implementation, "__class__", adoption.original)
        del vars(implementation)[_ADOPTION]
