"""The fields of the credential form: what it asks for, and what they show.

In view is what everybody needs; the rest stands in a section that can be opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..credentials.store import CONF_REDIRECT_URI
from ..oauth2.client import DeveloperCredential
from ..oauth2.redirect_uri import REGISTERED, RedirectUri
from ..oauth2.server_variable import ServerVariable

# The section of what few need.
CONF_MORE: Final = "more"
# That what the server rejects is saved.
CONF_SAVE_ANYWAY: Final = "save_anyway"

# Characters of a redirect URI in a label; that of My Home Assistant has as many.
MAX_LABEL: Final = 43

type Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fields:
    """What the form asks for.

    Attributes:
        variables: The values that only the user knows of the server.
        redirect_uris: The redirect URIs to choose from, by choice, the chosen one first; fewer than
            two are no choice.
        rejected: Whether the server rejects what is there: what is wrong comes first.
        with_objection: Whether the user may save it all the same.
        expanded: Whether what few need is in view.
    """

    variables: Sequence[ServerVariable] = ()
    redirect_uris: Mapping[str, str]
    rejected: bool
    with_objection: bool
    expanded: bool

    def schema(self, labels: Mapping[str, str]) -> vol.Schema:
        """Return the schema of the form.

        Args:
            labels: What the redirect URIs are called, by choice.
        """
        password = TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
        client_id = {
            **{
                (vol.Optional if one.default else vol.Required)(field): TextSelector()
                for field, one in variables_by_field(self.variables)
            },
            vol.Required(CONF_CLIENT_ID): TextSelector(TextSelectorConfig(autocomplete="off")),
        }
        secret = {vol.Optional(CONF_CLIENT_SECRET): TextSelector(password)}
        insist = {vol.Optional(CONF_SAVE_ANYWAY): BooleanSelector()} if self.with_objection else {}
        more: dict[vol.Marker, object] = {}
        if len(self.redirect_uris) > 1:
            default = next(iter(self.redirect_uris))
            more[vol.Required(CONF_REDIRECT_URI, default=default)] = SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=choice, label=f"{labels[choice]}: {shortened(uri)}")
                        for choice, uri in self.redirect_uris.items()
                    ],
                    mode=SelectSelectorMode.LIST,
                )
            )
        more[vol.Optional(CONF_NAME)] = TextSelector()
        return vol.Schema(
            {
                **(secret | client_id if self.rejected else client_id | secret),
                **insist,
                vol.Optional(CONF_MORE): section(
                    vol.Schema(more), {"collapsed": not self.expanded}
                ),
            }
        )

    def suggested(self, credential: DeveloperCredential | None) -> dict[str, Any]:
        """Return what the fields show of a credential; it has no secret."""
        known = credential.variables if credential else {}
        values: dict[str, Any] = {
            field: known.get(one.key, one.default)
            for field, one in variables_by_field(self.variables)
        }
        if credential is None:
            return values
        return values | {
            CONF_CLIENT_ID: credential.client_id,
            CONF_MORE: {
                CONF_NAME: credential.name,
                CONF_REDIRECT_URI: chosen(credential, self.redirect_uris),
            },
        }


def shortened(uri: str) -> str:
    """Return a redirect URI for a label, which a phone cannot wrap."""
    if len(uri) <= MAX_LABEL:
        return uri
    return f"{uri[: MAX_LABEL // 2]}…{uri[-MAX_LABEL // 2 + 1 :]}"


def variables_by_field(variables: Sequence[ServerVariable]) -> list[tuple[str, ServerVariable]]:
    """Return the fields of variables, called by their numbers, with what each is for."""
    return [(f"variable_{number}", one) for number, one in enumerate(variables, 1)]


def chosen(credential: DeveloperCredential, redirect_uris: Mapping[str, str]) -> str:
    """Return which of the redirect URIs to choose from a credential has."""
    uri = credential.registered_uri
    if uri and uri == redirect_uris.get(REGISTERED):
        return REGISTERED
    if credential.redirect_uri in redirect_uris:
        return credential.redirect_uri.value
    # It has the URI of another choice.
    return next(
        (choice for choice, one in redirect_uris.items() if one == uri), RedirectUri.DEFAULT
    )


def without_secrets(user_input: Values, but_for: Sequence[str] = ()) -> dict[str, Any]:
    """Return what was submitted, to be shown again: without the secret, and without some fields."""
    hidden = {CONF_CLIENT_SECRET, CONF_SAVE_ANYWAY, *but_for}
    shown = {name: value for name, value in user_input.items() if name not in hidden}
    if more := shown.get(CONF_MORE):
        shown[CONF_MORE] = {name: value for name, value in more.items() if name not in hidden}
    return shown
