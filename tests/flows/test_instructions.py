"""Tests of what the credential form tells the user."""

import json
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from homeassistant.components.frontend import storage
from homeassistant.components.frontend.storage import async_user_store
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import http
from homeassistant.helpers import issue_registry as ir
import pytest

import custom_components
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.flows import instructions
from custom_components.developer_credentials.flows.instructions import (
    async_get_instructions,
    async_get_language,
    async_get_placeholders,
    async_get_texts,
    links_in,
)
from custom_components.developer_credentials.private_api import async_get_unknown
from tests.common import PLATFORM
from tests.conftest import Install

TEXTS = {
    "en": "Open [it]({url}), register `{redirect_url}`. {unknown}",
    "nl": "Open [het]({url}), registreer `{redirect_url}`. {unknown}",
}
PLACEHOLDERS = """
async def async_get_description_placeholders(hass):
    return {"url": "https://acme.example/apps"}
"""


@pytest.fixture(autouse=True)
def texts(setup: None, install: Install) -> None:
    """Install an integration with instructions in two languages."""
    install("instructed", PLATFORM + PLACEHOLDERS)
    folder = Path(custom_components.__path__[-1]) / "instructed" / "translations"
    folder.mkdir()
    for language, text in TEXTS.items():
        content = {"application_credentials": {"description": text}}
        (folder / f"{language}.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "Open [het](https://acme.example/apps), registreer `/callback`. {unknown}"),
        ("fr", "Open [it](https://acme.example/apps), register `/callback`. {unknown}"),
    ],
)
async def test_instructions(hass: HomeAssistant, language: str, text: str) -> None:
    """They are in the user's language or in English, with the placeholders of the platform."""
    hass.config.language = language
    assert await async_get_instructions(hass, "instructed", "/callback") == text


@pytest.mark.parametrize("name", ["url", "redirect_url"])
async def test_redirect_uri_of_my(hass: HomeAssistant, install: Install, name: str) -> None:
    """Where a platform says that of My Home Assistant, it is the one that the login takes."""
    my = "https://my.home-assistant.io/redirect/oauth"
    with patch.object(instructions, "async_get_placeholders", return_value={name: my}):
        for uri, told in (("/callback", "/callback"), ("", my)):
            text = await async_get_instructions(hass, "instructed", uri)
            assert told in text
            assert (my in text) is (told == my)


@pytest.mark.parametrize("answer", ["raise ValueError", "return 'text'"])
async def test_broken_placeholders(hass: HomeAssistant, install: Install, answer: str) -> None:
    """A platform that is broken about them is told of, and the form is shown."""
    install("other", f"{PLATFORM}\nasync def async_get_description_placeholders(hass): {answer}")
    assert await async_get_instructions(hass, "other", "") == ""
    assert ir.async_get(hass).async_get_issue(DOMAIN, "platform_other")


PEER_PLACEHOLDERS: dict[str, tuple[str, dict[str, str]]] = {
    "there": ('return {"url": "https://b.example", 3: ""}', {"url": "https://b.example"}),
    "raises": ("raise ValueError", {}),
    "no mapping": ("return 3", {}),
    "hangs": ("await asyncio.sleep(9)", {}),
}


@pytest.mark.parametrize(
    ("code", "placeholders"), PEER_PLACEHOLDERS.values(), ids=list(PEER_PLACEHOLDERS)
)
async def test_placeholders_of_application_credentials(
    hass: HomeAssistant,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    placeholders: dict[str, str],
) -> None:
    """An integration on application credentials is asked as Home Assistant's own form does."""
    monkeypatch.setattr(instructions, "TIMEOUT", 0.05)
    function = f"async def async_get_description_placeholders(hass): {code}"
    install("peer", application_credentials=f"import asyncio\n{function}")
    assert await async_get_placeholders(hass, "peer") == placeholders
    assert ir.async_get(hass).issues == {}


async def test_no_placeholders(hass: HomeAssistant, install: Install) -> None:
    """Neither an integration without placeholders has any, nor one without a platform."""
    install("peer", application_credentials="")
    install("none")
    for domain in ("peer", "none", "not_installed"):
        assert await async_get_placeholders(hass, domain) == {}


@pytest.mark.parametrize(
    ("stored", "language"),
    [({"language": "nl"}, "nl"), ({}, "de"), (None, "de"), ({"language": 1}, "de")],
)
async def test_language_of_the_user(
    hass: HomeAssistant, stored: dict[str, object] | None, language: str
) -> None:
    """A user's language is the one that is stored for the user, else the instance's."""
    hass.config.language = "de"
    user = await hass.auth.async_create_user("Ada")
    store = await async_user_store(hass, user.id)
    if stored is not None:
        store.data["language"] = stored
    request = {KEY_HASS_USER: user}
    with patch.object(http, "current_request", SimpleNamespace(get=lambda: request)):
        assert await async_get_language(hass) == "de"
        hass.config.components.add("frontend")
        assert await async_get_language(hass) == language


@pytest.mark.parametrize("how", ["gone", "another"])
async def test_language_is_not_told(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Where the frontend keeps languages elsewhere, forms are in the instance's; told once."""
    hass.config.language = "de"
    hass.config.components.add("frontend")
    user = await hass.auth.async_create_user("Ada")
    if how == "gone":
        monkeypatch.delattr(storage, "async_user_store")
    else:
        monkeypatch.setattr(storage, "async_user_store", lambda *_: None)
    request = {KEY_HASS_USER: user}
    with patch.object(http, "current_request", SimpleNamespace(get=lambda: request)):
        assert await async_get_language(hass) == "de"
    assert async_get_unknown(hass) == {"storage of the frontend"}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Open [it](https://a.example/x?y=1#z) and [that](http://b.example).", 2),
        ("[here](https://a.example), and once more [here](https://a.example)", 1),
        ("[local](/config/areas), [script](javascript:alert(1)), https://a.example, `[a]`", 0),
        (" ".join(f"[{n}](https://a.example/{n})" for n in range(9)), 5),
        ("", 0),
    ],
)
def test_links(text: str, links: int) -> None:
    """Of instructions, the links lead to the application; each counts once."""
    found = links_in(text)
    assert len(found) == links
    assert all(one in text for one in found)


async def test_texts(hass: HomeAssistant) -> None:
    """The texts that a form is composed of are found by their keys."""
    texts = await async_get_texts(hass, "redirect_uri")
    assert texts["my"] == "My Home Assistant"
    assert not any("." in key for key in texts)
