"""Texts from elsewhere: made clean before they are kept or shown.

YAML, WebSocket messages, forms, servers, manifests and the titles of entries may hold anything:
halves of surrogate pairs, which no JSON can be written of, and characters that change how the text
around them reads.
"""

import re
from typing import Final
import unicodedata

# Characters of a text of somebody else's that is shown.
MAX_LINE: Final = 300

_MARKUP: Final = re.compile(r"([!-/:-@\[-`{-~])")


def join_surrogates(text: str) -> str:
    """Return a text that can be written as UTF-8 (RFC 3629, section 3).

    The halves of a surrogate pair, as some writers of JSON and YAML leave them, become the
    character that they stand for; a half without its other half is left out.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def plain_line(text: str, limit: int = MAX_LINE) -> str:
    """Return a text as one line that has no influence on how the text around it reads.

    Control characters and line breaks become spaces; zero-width and bidirectional ones are left
    out.

    Args:
        text: The text.
        limit: Characters at the most; a longer text ends in an ellipsis.
    """
    # Of a long text, no more is looked at than can be shown.
    text = join_surrogates(text[: 4 * limit])
    visible = (
        char if char.isprintable() else " " for char in text if unicodedata.category(char) != "Cf"
    )
    line = " ".join("".join(visible).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def escape_markdown(text: str) -> str:
    """Return a text as one line that Markdown shows as it is (CommonMark, section 2.4)."""
    return _MARKUP.sub(r"\\\1", plain_line(text))
