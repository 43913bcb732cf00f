"""`--time`: the answer in a sentence, on one screen, and where it comes from."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import Outcome, Run, Timing
from rnnshape.layer.siblings import timed_beside
from rnnshape.layer.subject import Subject
from rnnshape.render.terminal import render_table
from tests.program import call

MILLISECONDS = {"nn.LSTM(20, 40)": 5.0, "nn.GRU(20, 40)": 4.05, "nn.RNN(20, 40)": 1.5}


def _text(subject: Subject, *, spread: float = 0.01, runs: int = 25, seq_len: int = 10) -> str:
    """The section, as if each layer had taken these milliseconds, and a projection 6."""
    timings = tuple(
        Timing(
            constructor=each.config.constructor,
            seq_len=seq_len,
            macs=each.macs,
            median=(middle := MILLISECONDS.get(each.config.constructor, 6.0) / 1000),
            lower=middle * (1 - spread),
            upper=middle * (1 + spread),
            runs=runs,
            threads=2,
        )
        for each in timed_beside(subject)
    )
    report = predicted_report(subject)
    run = Run(
        torch_version="2.13.0",
        input_spec=subject.input_spec,
        claims=(),
        mismatches=(),
        outcomes={"timing": Outcome(value=timings)},
    )
    inspection = Inspection(report=replace(report, run=run))
    return render_table(report_document(inspection, show=["time"]))


@pytest.mark.parametrize(
    ("config", "sentences"),
    [
        (
            RNNConfig(kind=Kind.GRU),
            ["GRU is faster than LSTM here: 0.81 of its time (4.05 ms, 5 ms)"],
        ),
        (
            RNNConfig(kind=Kind.LSTM),
            [
                "GRU is faster than LSTM here: 0.81 of its time (4.05 ms, 5 ms)",
                "RNN is faster than LSTM here: 0.30 of its time (1.5 ms, 5 ms)",
            ],
        ),
        (
            RNNConfig(kind=Kind.LSTM, proj_size=10),
            ["LSTM with a projection is slower than LSTM here: 1.20 of its time (6 ms, 5 ms)"],
        ),
    ],
    ids=["GRU", "LSTM", "projection"],
)
def test_a_sentence_compares_the_layer_with_an_lstm(
    config: RNNConfig, sentences: list[str]
) -> None:
    *_, last = lines = _text(Subject(config=config)).splitlines()
    assert [line for line in lines if " here" in line] == sentences
    assert last == "median of 25 forward passes in inference mode, with 2 threads"


def test_times_that_overlap_are_said_to() -> None:
    text = " ".join(_text(Subject(config=RNNConfig(kind=Kind.GRU)), spread=0.2).split())
    assert (
        "no difference between GRU and LSTM can be told here: 0.81 of its time (4.05 ms, 5 ms)"
        in text
    )


def test_fewer_steps_than_the_input_has_are_said() -> None:
    text = _text(Subject(config=RNNConfig(kind=Kind.GRU)), seq_len=4, runs=1)
    assert "GRU is faster than LSTM here for 4 of the 10 steps: 0.81 of its time" in text
    assert text.endswith("\none forward pass of each in inference mode, with 2 threads\n")


def test_the_answer_is_on_the_first_screen() -> None:
    lines = call("gru", "--time", "--seq", "2").out.splitlines()
    assert lines[0] == "nn.GRU(20, 40)   7,440 parameters, 29.8 kB"
    number = r"\d+(\.\d+)?(e\+\d+)? [mun]?s"
    sentence = rf"(GRU is|no difference) .* here.*: \d+\.\d\d of its time \({number}, {number}\).*"
    assert re.search(sentence, " ".join(lines[:24]))  # the longest sentence takes two lines
    assert re.search(
        r"^(median of \d+ forward passes|one forward pass)", "\n".join(lines), re.MULTILINE
    )
    assert len(lines) <= 24
    assert lines[-2].startswith("ok: torch ")


def test_other_sections_are_shown_on_request() -> None:
    out = call("gru", "--time", "--seq", "2", "--show", "default,weights").out
    assert "\nweights " in out
    assert "\ntime " in out
