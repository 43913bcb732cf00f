"""JSON from a file: bounded in size, in values and in depth, and without duplicate keys."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from rnnshape.errors import quoted
from rnnshape.sources.files.refusal import cut_short, refusal

# A character can become an object of 64 bytes, so the values are counted before they are made.
MOST_BYTES: Final = 8 * 2**20
_MOST_VALUES: Final = 500_000


def parsed(text: bytes, what: str) -> Any:
    """The value of a JSON text; `what` names it in errors: "its header".

    Raises RequestError for what is too large, too deep, no JSON, or has a key twice.
    """
    values = sum(map(text.count, (b",", b"[", b"{")))
    if len(text) > MOST_BYTES or values > _MOST_VALUES:
        raise refusal(
            f"{what} is too large: {len(text):,} bytes with {values:,} values",
            f"up to {MOST_BYTES:,} bytes with {_MOST_VALUES:,} values are read",
        )
    try:
        return json.loads(text.decode(), object_pairs_hook=_without_duplicates)
    except _DuplicateError as error:
        key = quoted(str(error))
        raise refusal(f"{what} has the key {key} twice", "write the file again") from None
    except RecursionError:
        raise refusal(f"{what} is nested too deeply", "write the file again") from None
    except ValueError:  # text that is not UTF-8 or not JSON, an integer of over 4,300 digits
        raise cut_short(f"{what} is not valid JSON") from None


class _DuplicateError(Exception):
    """A key that is twice in one object."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _DuplicateError(counts.most_common(1)[0][0])
    return made
