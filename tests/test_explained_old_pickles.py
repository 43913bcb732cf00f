"""Explanations of modules from other versions, and of replaced weights."""

from __future__ import annotations

import pytest

from rnnshape.analysis.explanation.explain import explain
from tests.explained import VERSIONS, reported


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("AttributeError: 'LSTM' object has no attribute 'proj_size'", "old-pickle"),
        ("ModuleAttributeError: 'GRU' object has no attribute '_flat_weights_names'", "old-pickle"),
        ("AttributeError: 'RNN' object has no attribute '_data_ptrs'", "old-pickle"),
        ("AttributeError: 'Net' object has no attribute '_backward_pre_hooks'", "old-pickle"),
        ("AttributeError: 'LSTM' object has no attribute 'all_weights'", "replaced-weight"),
        ("AttributeError: 'GRU' object has no attribute 'weight_ih_l1_reverse'", "replaced-weight"),
        ("AttributeError: 'GRU' object has no attribute 'weight'", "recurrent-weight-names"),
        (
            "RuntimeError: shape '[4000000, 1]' is invalid for input of size 4000",
            "flattened-weight",
        ),
        ("RuntimeError: Invalid magic number; corrupt file?", "not-a-checkpoint"),
    ],
)
def test_mistakes_are_told_apart(text: str, mistake: str) -> None:
    found = explain(text)
    assert found is not None
    assert found.mistake == mistake


@pytest.mark.parametrize(
    ("wanted", "size", "hidden_size"), [(5_290_000, 4_600, 1150), (48, 12, 4), (9, 3, 3)]
)
def test_the_weight_that_a_bias_was_taken_for(wanted: int, size: int, hidden_size: int) -> None:
    found = explain(f"RuntimeError: shape '[{wanted}, 1]' is invalid for input of size {size}")
    assert found is not None
    assert f"{wanted} = {size} x {hidden_size}" in found.meaning


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: shape '[10, 1]' is invalid for input of size 4",
        "RuntimeError: shape '[2, 2, 3, 5]' is invalid for input of size 30",
        "AttributeError: 'LSTM' object has no attribute 'forwrd'",
        "AttributeError: 'Series' object has no attribute 'bias'",
    ],
)
def test_texts_that_only_look_alike(text: str) -> None:
    found = explain(text)
    assert found is None or found.mistake not in ("flattened-weight", "old-pickle")


def test_a_deleted_weight_is_recognised_in_the_words_of_every_version() -> None:
    versions = next(each for each in reported(VERSIONS) if each["mistake"] == "delw")
    for said in versions["says"]:
        found = explain(said["text"])
        assert found is not None
        causes = " ".join(cause.why for cause in found.causes)
        assert "weight drop" in causes


def test_a_class_is_looked_for_only_where_a_model_is_loaded() -> None:
    missing = "AttributeError: Can't get attribute 'Tagger' on <module '__main__' from 'use.py'>"
    assert explain(missing) is None
    frame = '  File "/lib/torch/serialization.py", line 594, in load\n    return torch.load(f)\n'
    found = explain(f"Traceback (most recent call last):\n{frame}{missing}")
    assert found is not None
    assert found.mistake == "pickle-without-class"
    assert "`Tagger`" in found.meaning
