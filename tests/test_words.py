"""What was given, as a word of a command that can be copied into a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnshape.errors import word
from tests.program import shell

GIVEN = {
    "plain": "weights.pt",
    "blanks": "my layer.toml",
    "quotes": 'it\'s "mine"',
    "a dollar": "$HOME/`x`",
    "longer than an echo": "x" * 300,
    "two lines": "a\nb\\n'c",
    "an escape": "\x1b[31m",
    "another blank": "a\xa0b\u3000c",
    "beyond 16 bits": "\U000e0001",
    "other letters": "gr\xfc\xdfe \u5c42",
    "nothing": "",
}


@pytest.mark.parametrize("text", GIVEN.values(), ids=GIVEN)
def test_a_shell_reads_a_word_as_what_was_given(text: str) -> None:
    line = word(text)
    assert line.isprintable()
    assert shell(f"printf '<%s>' {line}", changes={"LC_ALL": "C.UTF-8"}).out == f"<{text}>"


def test_a_name_that_is_no_utf_8_is_read_as_its_bytes() -> None:
    result = shell(f"printf %s {word('a' + chr(0xDCFF))} | od -An -tx1")
    assert result.out.split() == ["61", "ff"]


def test_a_path_is_never_read_as_an_option() -> None:
    assert word(Path("-o.toml")) == "./-o.toml"
    assert word(Path("a/-o.toml")) == "a/-o.toml"
    assert word("-1") == "-1"
