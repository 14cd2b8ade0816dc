"""Tests of what people know a credential by."""

import pytest

from custom_components.developer_credentials.credentials.titles import (
    integration_in,
    name_from_yaml,
    name_in,
    name_of,
    title_of,
)


@pytest.mark.parametrize(
    ("name", "taken", "now", "title"),
    [
        ("My app", [], None, "Acme: My app"),
        ("My app", ["Acme: My app"], None, "Acme: My app 2"),
        ("My app", ["Acme: My app", "Acme: My app 2"], None, "Acme: My app 3"),
        ("Acme: My app", [], None, "Acme: My app"),
        # The user has written it with the integration's name.
        ("Acme", [], None, "Acme"),
        ("Acme 2", [], None, "Acme 2"),
        ("Acme at work", ["Acme at work"], None, "Acme at work 2"),
        ("Acme-work", [], None, "Acme-work"),
        ("Acmeist", [], None, "Acme: Acmeist"),
        (None, [], None, "Acme"),
        (None, ["Acme", "Acme 3"], None, "Acme 2"),
        # What it has stays, also where a lower number has become free.
        (None, [], "Acme 2", "Acme 2"),
        ("My app", [], "Acme: My app 2", "Acme: My app 2"),
        (None, ["Acme 2"], "Acme 2", "Acme"),
        ("My app", [], "Acme", "Acme: My app"),
        (None, [], "Acme: My app", "Acme"),
        ("a.c", [], "Acme: abc", "Acme: a.c"),
    ],
)
def test_title(name: str | None, taken: list[str], now: str | None, title: str) -> None:
    """A title has the integration's name, that of the credential, and a number if need be."""
    assert title_of("Acme", name, taken, now) == title


def test_integration_of_any_name() -> None:
    """The name of an integration is one plain line, too."""
    assert title_of("Ac\u202eme\n", "app", []) == "Acme: app"
    assert title_of("Ac\u202eme\n", name_from_yaml("Ac\u202eme\n"), []) == "Acme (YAML)"
    assert name_in("Acme: app", "Ac\u202eme\n") == "app"


@pytest.mark.parametrize(
    ("title", "name", "picked"),
    [
        ("Acme: My app", "My app", "My app"),
        ("Acme: My app 2", "My app", "My app 2"),
        ("Acme: Acme 2", "Acme", "Acme 2"),
        ("Acme: (a+", "(a+", "(a+"),
        ("Acme", None, "Acme"),
        ("Acme 2", None, "Acme 2"),
        ("Renamed", "My app", "My app"),
    ],
)
def test_name(title: str, name: str | None, picked: str) -> None:
    """The picker has the name, and the number where two would be the same."""
    assert name_of(title, name) == picked


@pytest.mark.parametrize(
    ("title", "name", "integration"),
    [
        ("Acme: My app", "My app", "Acme"),
        ("Acme: My app 2", "My app", "Acme"),
        ("Acme: (a+", "(a+", "Acme"),
        ("Acme: Cloud: a", "a", "Acme: Cloud"),
        ("Acme", None, "Acme"),
        ("Acme 2", None, "Acme"),
        ("My app", "My app", None),
        ("Acme: Another", "My app", None),
    ],
)
def test_integration_in_a_title(title: str, name: str | None, integration: str | None) -> None:
    """Where an integration is not loaded, its name is told from the title."""
    assert integration_in(title, name) == integration


@pytest.mark.parametrize(
    ("title", "integration", "name"),
    [
        ("Second app", "Acme", "Second app"),
        ("Acme: Second app", "Acme", "Second app"),
        ("Home: Second app", "Acme", "Home: Second app"),
        ("Acme: Second app", None, "Acme: Second app"),
        (" \u202eSecond\napp ", "Acme", "Second app"),
        (" ", "Acme", None),
    ],
)
def test_name_in_a_title(title: str, integration: str | None, name: str | None) -> None:
    """A title that the user writes is the name, less that of the integration."""
    assert name_in(title, integration) == name
