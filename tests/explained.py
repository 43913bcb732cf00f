"""Score the explanations of real error texts: `python -m tests.explained [FILE.json]`.

Each text of the file comes with what a right explanation has to mention. "a|b" is either; case does
not count, a number counts only as a whole number, and lines that repeat the error do not count.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import rnnshape

REPORTED: Final = Path(__file__).parent / "errors" / "reported.json"
VERSIONS: Final = Path(__file__).parent / "errors" / "versions.json"


def reported(path: Path = REPORTED) -> list[dict[str, Any]]:
    """The texts of a file, with what is known of them."""
    texts: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def missing(text: Mapping[str, Any]) -> list[str] | None:
    """What the explanation of a text does not mention; None if the text is not recognised."""
    explanation = rnnshape.explain(text["text"])
    if explanation is None:
        return None
    own = set(filter(None, map(_letters, text["text"].splitlines())))
    lines = str(explanation).splitlines()
    said = "\n".join(line for line in lines if not _repeats(line, own)).casefold()
    return [word for word in text["must_mention"] if not _mentioned(word, said)]


def _letters(line: str) -> str:
    return re.sub(r"\W+", "", line).casefold()


def _repeats(line: str, own: set[str]) -> bool:
    letters = _letters(line)
    return len(letters) > 30 and any(letters in text or text in letters for text in own)


def _mentioned(word: str, said: str) -> bool:
    return any(
        re.search(rf"(?<![\d.,]){re.escape(each)}(?![\d]|[.,]\d)", said)
        if each.isdecimal()
        else each.casefold() in said
        for each in word.split("|")
    )


def _scored(texts: list[dict[str, Any]]) -> Iterator[str]:
    recognised = complete = 0
    for text in texts:
        lacking = missing(text)
        recognised += lacking is not None
        complete += lacking == []
        if lacking is None:
            yield f"not recognised: {text['id']}: {text['text'].splitlines()[-1][:90]}"
        elif lacking:
            yield f"not mentioned: {text['id']}: {', '.join(lacking)}"
    yield f"{recognised} of {len(texts)} recognised, {complete} with everything that they must say"


if __name__ == "__main__":
    path = Path(sys.argv[1]) if sys.argv[1:] else REPORTED
    sys.stdout.writelines(f"{line}\n" for line in _scored(reported(path)))
