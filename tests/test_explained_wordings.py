"""Every wording of every entry can be filled with any numbers, whatever stands around it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Final

import pytest

from rnnshape.analysis.explanation.entry import Entry
from rnnshape.analysis.explanation.explain import explain
from rnnshape.analysis.explanation.mistakes import entries
from rnnshape.analysis.explanation.wording import Wording

PLACE: Final = re.compile(r"\{\w+(?::(\w+))?\}")
VALUES: Final = {
    "int": ["0", "1", "2", "4", "5", "12", "-1"],
    "number": ["0.5"],
    "shape": ["[]", "[5]", "[4, 8]", "(2, 3, 4)", "[4, 8, 1]", "[8, 4]"],
    "matrix": ["[10 x 8]", "[4 x 2]", "12x16", "0x0"],
    "word": ["Long", "torch.FloatTensor", "TBackward0", "batch2", "list", "targets"],
    "name": ["_cudnn_rnn_backward", "encoder.weight_ih_l0"],
    "rest": ["this"],
    "": ["this"],
}
AROUND: Final = ("", "LSTM(3, 4)\n", "output = _VF.gru(x)\n", "loss = criterion(x, mask)\n")


def texts(entry: Entry) -> Iterator[str]:
    """Texts with the entry's wordings, filled at random."""
    choice = random.Random(entry.mistake).choice  # noqa: S311
    for wording in entry.wordings:
        for _ in range(20):
            filled = PLACE.sub(lambda place: choice(VALUES[place[1] or ""]), wording.template)
            yield f"{choice(AROUND)}RuntimeError: {filled}"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.mistake)
def test_a_wording_with_any_numbers_is_explained_or_left_alone(entry: Entry) -> None:
    for text in texts(entry):
        explanation = explain(text)
        if explanation is not None:
            assert 1 <= len(explanation.causes) <= 4, text


@pytest.mark.parametrize(
    ("template", "anchor"),
    [
        ("size {a:int}, got {b:shape}", ", got"),
        ("{a:int} is not the Batch {b:int}", "is not the batch"),
        ("{expected_size:int}: {b:int} of the {c}", "of the"),
        ("no place at all", "no place at all"),
    ],
)
def test_the_longest_text_without_a_place_is_looked_for_first(template: str, anchor: str) -> None:
    assert Wording(template).anchor == anchor
