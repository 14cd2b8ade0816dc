"""What people know a credential by: its title in the list, and its name in the picker.

A title is made of the integration's name and that of the credential; one without a name is called
by its integration. Never by the client id: titles and names are read by users who are no admins.
"""

from collections.abc import Collection
import re

from ..plain_text import plain_line


def title_of(
    integration: str, name: str | None, taken: Collection[str], now: str | None = None
) -> str:
    """Return a title that no other credential has: "Acme: My app", or "Acme", "Acme 2".

    Args:
        integration: The name of the integration.
        name: The name of the credential; None where it has none.
        taken: The titles of the others.
        now: The title that it has; that stays where it is as good as a new one.
    """
    title = prefix = plain_line(integration)
    if name:
        # The user may have written it with the integration's name.
        following = name.removeprefix(prefix)[:1]
        title = name if name.startswith(prefix) and not following.isalnum() else f"{prefix}: {name}"
    if now is not None and now not in taken and re.fullmatch(rf"{re.escape(title)}( \d+)?", now):
        return now
    unnumbered, number = title, 1
    while title in taken:
        number += 1
        title = f"{unnumbered} {number}"
    return title


def name_of(title: str, name: str | None) -> str:
    """Return what the picker calls a credential: its name, with the number that its title has.

    Args:
        title: The title that it has.
        name: The name of the credential; None where it has none.
    """
    if name is None:
        return title
    numbered = re.search(rf"{re.escape(name)}( \d+)?$", title)
    return numbered[0] if numbered else name


def name_from_yaml(integration: str) -> str:
    """Return the name of a credential that came from YAML without one: "Acme (YAML)".

    Args:
        integration: The name of the integration.
    """
    return f"{plain_line(integration)} (YAML)"


def integration_in(title: str, name: str | None) -> str | None:
    """Return the integration that a title was made with; None where it was another title.

    Args:
        title: The title.
        name: The name that the credential had then; None where it had none.
    """
    following = "" if name is None else f": {re.escape(name)}"
    found = re.fullmatch(rf"(.+?){following}( \d+)?", title)
    return found[1] if found else None


def name_in(title: str, integration: str | None) -> str | None:
    """Return the name that the user means by a title; None where that says nothing.

    Args:
        title: What the user has written in the list.
        integration: The name of the integration; None where that is not known.
    """
    text = plain_line(title)
    if integration is not None:
        text = text.removeprefix(f"{plain_line(integration)}: ")
    return text or None
