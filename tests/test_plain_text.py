"""Tests of texts from elsewhere."""

import pytest

from custom_components.developer_credentials.plain_text import (
    MAX_LINE,
    escape_markdown,
    join_surrogates,
    plain_line,
)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("My app \ud83d\ude00", "My app 😀"),
        ("\ud83d", ""),
        ("\ude00\ud83dz", "z"),
        ("\ufeffé😀", "\ufeffé😀"),
        ("", ""),
    ],
    ids=ascii,
)
def test_surrogates(text: str, joined: str) -> None:
    """The halves of a pair are one character; what has no other half is left out."""
    assert join_surrogates(text) == joined
    assert join_surrogates(text).encode().decode() == joined


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\r\n\tlines", "two lines"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("in\u200bvisi\ufeffble\u00ad", "invisible"),
        ("\x1b[31mred\x00", "[31mred"),
        ("\ud83d\ude00 \ud83d", "😀"),
        ("  as it is: 日本語, é  ", "as it is: 日本語, é"),
        ("x" * MAX_LINE, "x" * MAX_LINE),
        ("x" * 100_000, "x" * (MAX_LINE - 1) + "…"),
        ("\u200b" * 100_000, ""),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_line(text: str, line: str) -> None:
    """One line of what is written; nothing in it changes how the text around it reads."""
    assert plain_line(text) == line


@pytest.mark.parametrize("text", ["<b>", "[x](y)", "*a* _b_ `c`", "# h", "a & b", "www.x.y", "\\"])
def test_escape(text: str) -> None:
    """Every character that could be markup is escaped, and nothing else."""
    escaped = escape_markdown(text)
    assert escaped.replace("\\\\", "\0").replace("\\", "").replace("\0", "\\") == text
    assert all(
        char.isalnum() or char.isspace() or escaped[index - 1] == "\\" or char == "\\"
        for index, char in enumerate(escaped)
    )


def test_escape_is_one_line() -> None:
    """A line break, which begins a block in Markdown, is a space."""
    assert escape_markdown("a\n\n# b\u202e") == r"a \# b"
