"""Texts from elsewhere, shown as they are."""

import re
from typing import Final

_MARKUP: Final = re.compile(r"([!-/:-@\[-`{-~])")


def escape_markdown(text: str) -> str:
    """Return a text that Markdown shows as it is (CommonMark, section 2.4)."""
    return _MARKUP.sub(r"\\\1", text)
