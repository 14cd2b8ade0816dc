"""Tests of texts from elsewhere."""

import json
from pathlib import Path

import pytest

import custom_components
from custom_components.developer_credentials.plain_text import escape_markdown
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


@pytest.mark.parametrize("text", ["<b>", "[x](y)", "*a* _b_ `c`", "# h", "a & b", "www.x.y", "\\"])
def test_escape(text: str) -> None:
    """Every character that could be markup is escaped, and nothing else."""
    escaped = escape_markdown(text)
    assert escaped.replace("\\\\", "\0").replace("\\", "").replace("\0", "\\") == text
    assert all(
        char.isalnum() or char.isspace() or escaped[index - 1] == "\\" or char == "\\"
        for index, char in enumerate(escaped)
    )
