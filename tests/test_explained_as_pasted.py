"""Errors as people paste them: in logs, notebooks, prose, cut off; and those of other code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import rnnshape
from tests.explained import missing, reported

ERRORS: Final = Path(__file__).parent / "errors"
FOREIGN: Final = (ERRORS / "foreign.txt").read_text(encoding="utf-8").splitlines()
MESSAGE: Final = "RuntimeError: Expected hidden[0] size (2, 32, 128), got [2, 64, 128]"
TRACEBACK: Final = (
    "Traceback (most recent call last):\n"
    '  File "C:\\torch\\nn\\modules\\rnn.py", line 812, in forward\n'
    f"{MESSAGE}\n"
)


@pytest.mark.parametrize("text", reported(ERRORS / "pasted.json"), ids=lambda text: str(text["id"]))
def test_a_pasted_error_is_explained_with_what_must_be_said(text: dict[str, Any]) -> None:
    assert missing(text) == []


@pytest.mark.parametrize("text", FOREIGN)
def test_a_line_of_other_software_is_not_explained(text: str) -> None:
    assert rnnshape.explain(text) is None


OTHER_CODE: Final = {
    "split": "ValueError: too many values to unpack (expected 2)\n    key, value = line.split('=')",
    "OpenCV": "ValueError: too many values to unpack (expected 3)\n"
    "    _, contours, _ = cv2.findContours(image, 1, 2)",
    "Keras": "AttributeError: 'list' object has no attribute 'shape'\n"
    "    model.add(keras.layers.LSTM(10))",
    "pandas": "TypeError: tuple indices must be integers or slices, not tuple\n"
    "    pd.read_csv('a.csv').shape[:, 0]",
    "Django": "Traceback (most recent call last):\n"
    '  File "/usr/lib/python3/django/db/models/query.py", line 5, in __iter__\n'
    "    user, created = users.filter(id=1)\n"
    "ValueError: not enough values to unpack (expected 2, got 1)",
    "raised in code": "def f():\n    raise NotImplementedError\n\n"
    "# dropout probability has to be between 0 and 1, but got 2\n" * 4,
}


@pytest.mark.parametrize("text", OTHER_CODE.values(), ids=list(OTHER_CODE))
def test_a_message_of_any_code_is_not_explained_beside_other_code(text: str) -> None:
    assert rnnshape.explain(text) is None


LONG: Final = "\n".join(f'{{"level": "info", "msg": "step {step}"}}' for step in range(300))
PASTED: Final = {
    "typed by hand": "Runtime Error: expected hidden [0] size (2,32,128) got (2,64,128)",
    "JSON log": f"{LONG}\n{json.dumps({'msg': TRACEBACK})}\n{LONG}",
    "notebook": "\n".join(
        ("{", *(f'   "cell": {n},' for n in range(20)), json.dumps(f"\x1b[0;31m{MESSAGE}"), "}")
    ),
    "repr": f"error = {RuntimeError(MESSAGE.partition(': ')[2])!r}",
    "wrapped in quotes": f'{LONG}\n"{MESSAGE}"\n',
    "ranks": "\n".join(f"[default{rank}]:[rank{rank}]: {MESSAGE}" for rank in (0, 1)),
    "compose": f"trainer_1  | 2026-01-02T10:00:00.000Z {MESSAGE}\ntrainer_1 exited with code 1",
    "then cleaning up": f"{TRACEBACK}wandb: Synced 5 files\nINFO retry 1 of 3",
}


@pytest.mark.parametrize("text", PASTED.values(), ids=list(PASTED))
def test_an_error_is_found_as_it_is_pasted(text: str) -> None:
    explanation = rnnshape.explain(text)
    assert explanation is not None
    assert explanation.mistake == "state-batch"
    assert "batch 64" in explanation.meaning


def test_a_message_that_is_cut_off_says_what_the_layer_takes() -> None:
    explanation = rnnshape.explain("RuntimeError: Expected hidden[0] size (2, 1, 128), got")
    assert explanation is not None
    assert "(2, 1, 128)" in explanation.meaning
    assert "the text does not say which" in explanation.meaning


def test_an_error_that_a_summary_shortens_is_no_other_error() -> None:
    short = f"{MESSAGE[:50]}..."
    text = f"E   {MESSAGE}\n\nrnn.py:812: RuntimeError\nFAILED test_net.py::test - {short}"
    explanation = rnnshape.explain(text)
    assert explanation is not None
    assert explanation.others == ()


def test_a_state_split_over_gpus_shows_in_two_axes() -> None:
    explanation = rnnshape.explain("Expected hidden size (4, 24, 128), got (2, 48, 128)")
    assert explanation is not None
    assert explanation.causes[0].why.startswith("`DataParallel` over 2 GPUs")


@pytest.mark.parametrize("got", [(3, 48, 128), (2, 47, 128), (2, 48, 64)])
def test_other_states_are_not_said_to_be_split(got: tuple[int, ...]) -> None:
    explanation = rnnshape.explain(f"Expected hidden size (4, 24, 128), got {got}")
    assert explanation is not None
    assert not any("DataParallel" in cause.why for cause in explanation.causes)


def test_one_of_a_thing_is_not_many() -> None:
    explanation = rnnshape.explain("mat1 and mat2 shapes cannot be multiplied (320x10 and 1x256)")
    assert explanation is not None
    assert "takes 1 feature." in explanation.meaning


def test_a_gru_is_not_called_an_lstm_for_its_attribute() -> None:
    message = "For unbatched 2-D input, hx should also be 2-D but got 3-D tensor"
    explanation = rnnshape.explain(f"out = self.lstm(x, h)\nRuntimeError: {message}")
    assert explanation is not None
    assert "LSTM" not in explanation.meaning
