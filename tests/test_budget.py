"""`rnnshape budget`: the largest that fits, proven against brute force, and what is refused."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.analysis.budget import Budget, Quantity, Solution, solve
from rnnshape.cli.main import main
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Facts
from rnnshape.layer.input import InputSpec
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch import forward
from rnnshape.sources.amounts import parsed_amount
from tests import reference
from tests.program import call
from tests.refusals import refusals, require_refused
from tests.schemas import problems
from tests.strategies import configs, examples, inputs, layers
from tests.transcripts import ROOT

SETTINGS = st.builds(
    Settings, dtype=st.sampled_from([DType.FLOAT16, DType.FLOAT32, DType.COMPLEX128])
)


def _used(config: RNNConfig, spec: InputSpec, settings: Settings, quantity: Quantity) -> int:
    if quantity is Quantity.MACS:
        return reference.macs(config, spec)
    each = settings.dtype.itemsize if quantity is Quantity.BYTES else 1
    return each * reference.parameters(config)


@examples(100)
@given(layers(), inputs(fewest=1), SETTINGS, st.sampled_from(Quantity), st.integers(0, 10**40))
def test_the_hidden_size_found_fits_and_one_more_does_not(
    config: RNNConfig, spec: InputSpec, settings: Settings, quantity: Quantity, allowed: int
) -> None:
    def used(size: int) -> int:
        return _used(replace(config, hidden_size=size), spec, settings, quantity)

    subject = Subject(config=config, input_spec=spec, settings=settings)
    budget = Budget(quantity=quantity, allowed=allowed)
    least = config.proj_size + 1
    if used(least) > allowed:
        with pytest.raises(RequestError) as refused:
            solve(subject, budget=budget, sought="hidden_size")
        smallest = replace(config, hidden_size=least).constructor
        assert refused.value.problem.startswith(f"the smallest, {smallest}, has {used(least):,} ")
        return
    solution = solve(subject, budget=budget, sought="hidden_size")
    size = solution.found.subject.config.hidden_size
    assert used(size) <= allowed < used(size + 1)
    _require_consistent(solution, used, "hidden_size")
    assert (solution.below is None) == (size == least)


@examples(100)
@given(
    layers(largest=12), inputs(fewest=1), SETTINGS, st.sampled_from(Quantity), st.integers(0, 9999)
)
def test_brute_force_finds_the_same_hidden_size(
    config: RNNConfig, spec: InputSpec, settings: Settings, quantity: Quantity, allowed: int
) -> None:
    sizes = range(config.proj_size + 1, 200)
    fitting = [
        size
        for size in sizes
        if _used(replace(config, hidden_size=size), spec, settings, quantity) <= allowed
    ]
    subject = Subject(config=config, input_spec=spec, settings=settings)
    budget = Budget(quantity=quantity, allowed=allowed)
    if not fitting:
        with pytest.raises(RequestError, match="the smallest"):
            solve(subject, budget=budget, sought="hidden_size")
        return
    solution = solve(subject, budget=budget, sought="hidden_size")
    found = solution.found.subject.config.hidden_size
    assert found == fitting[-1] if fitting[-1] < sizes[-1] else found >= fitting[-1]


@examples(100)
@given(
    configs(largest=60, layers=5, kinds=[Kind.LSTM]).filter(lambda config: config.hidden_size > 1),
    inputs(fewest=1),
    SETTINGS,
    st.sampled_from(Quantity),
    st.integers(0, 10**6),
)
def test_brute_force_finds_the_same_proj_size(
    config: RNNConfig, spec: InputSpec, settings: Settings, quantity: Quantity, allowed: int
) -> None:
    def used(size: int) -> int:
        return _used(replace(config, proj_size=size), spec, settings, quantity)

    fitting = [size for size in range(1, config.hidden_size) if used(size) <= allowed]
    subject = Subject(config=config, input_spec=spec, settings=settings)
    budget = Budget(quantity=quantity, allowed=allowed)
    if not fitting:
        with pytest.raises(RequestError, match="the smallest"):
            solve(subject, budget=budget, sought="proj_size")
        return
    solution = solve(subject, budget=budget, sought="proj_size")
    assert solution.found.subject.config.proj_size == fitting[-1]
    assert (solution.above is None) == (fitting[-1] == config.hidden_size - 1)
    _require_consistent(solution, used, "proj_size")


def _require_consistent(solution: Solution, used: Any, sought: str) -> None:
    found = getattr(solution.found.subject.config, sought)
    for candidate in solution.candidates:
        size = getattr(candidate.subject.config, sought)
        assert candidate.used == used(size)
        assert candidate.left == solution.budget.allowed - candidate.used
        assert (candidate.left >= 0) == (size <= found)
        assert candidate.subject.parameters == reference.parameters(candidate.subject.config)


def test_a_gru_matches_the_four_layer_lstm_with_46() -> None:
    words = "budget gru --match lstm --layers 4 --bidir -f json"
    data = json.loads(call(*words.split()).out)
    assert problems(data, "budget") == []
    assert (data["size"], data["candidates"][1]["parameters"]) == (46, 134_688)
    assert data["budget"]["allowed"] == 136_960
    assert data["verification"]["agrees"]


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_layer_matches_itself_exactly(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = _data(f"{kind} --match {kind}", capsys)
    assert (data["size"], data["candidates"][1]["left"]) == (40, 0)


def test_options_hold_for_the_matched_layer_too(capsys: pytest.CaptureFixture[str]) -> None:
    data = _data("gru --match lstm --input 7 --no-bias --layers 2", capsys)
    assert data["budget"]["matched"] == "nn.LSTM(7, 40, num_layers=2, bias=False)"
    assert data["constructor"] == f"nn.GRU(7, {data['size']}, num_layers=2, bias=False)"


def test_a_given_projection_is_kept_and_hidden_stays_above_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = _data("lstm --proj 10 --params 5520", capsys)
    assert (data["size"], data["config"]["proj_size"]) == (40, 10)


def test_a_cell_has_no_steps_layers_or_directions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["budget", "gru", "--cell", "--params", "1k", "--no-run"]) == 0
    shown = capsys.readouterr().out
    assert "nn.GRUCell(20, 10)" in shown
    assert "N=5 batch, H_in=20 input\nassumed: --batch 5 --input 20\n" in shown


def test_bytes_depend_on_the_dtype(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [
        _data(f"lstm --bytes {bytes_} --dtype {dtype}", capsys)["size"]
        for bytes_, dtype in (("39680", "float32"), ("19840", "half"), ("79360", "float64"))
    ]
    assert sizes == [40, 40, 40]


def _data(words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["budget", *shlex.split(words), "--no-run", "-f", "json"]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert problems(data, "budget") == []
    return data


@pytest.mark.parametrize(
    ("text", "value", "in_bytes"),
    [
        ("136960", 136960, False),
        ("136_960", 136960, False),
        ("150k", 150_000, False),
        ("150K", 150_000, False),
        ("1.5M", 1_500_000, False),
        ("2G", 2_000_000_000, False),
        ("1T", 10**12, False),
        ("0.1k", 100, False),
        ("1.0005k", Fraction(10005, 10), False),
        ("2MiB", 2**21, True),
        ("4KiB", 4096, True),
        ("1GB", 10**9, True),
        ("12B", 12, True),
        (" 7 ", 7, False),
    ],
)
def test_an_amount_is_exact(text: str, value: Fraction, in_bytes: bool) -> None:
    parsed = parsed_amount(text)
    assert parsed is not None
    assert (parsed.value, parsed.in_bytes) == (value, in_bytes)


@pytest.mark.parametrize(
    "text",
    [
        *("", "k", "1.", ".5", "-1", "+1", "1e6", "1,000", "1__0", "_1", "1_", "1kk", "1Kib"),
        *("2Mi", "m", "1m", "nan", "1 k", "\u0661"),
    ],
)
def test_nonsense_is_no_amount(text: str) -> None:
    assert parsed_amount(text) is None


@examples(100)
@given(st.fractions(0, 10**6, max_denominator=1000))
def test_a_decimal_amount_loses_nothing(value: Fraction) -> None:
    thousandths = int(value * 1000)
    parsed = parsed_amount(f"{thousandths // 1000}.{thousandths % 1000:03}k")
    assert parsed is not None
    assert parsed.value == thousandths


REFUSED = """
$
error: no KIND is given; it is one of lstm, gru, rnn
hint: rnnshape budget lstm --params 1M

$ gruu --params 1
error: no kind gruu; it is one of lstm, gru, rnn
hint: gru in its place

$ lstm
error: a budget is one of --params, --macs, --bytes, --match; none is given
hint: --params 1M

$ lstm --params 1M --macs 1M
error: a budget is one of --params, --macs, --bytes, --match; --params and --macs are given
hint: leave --macs out

$ lstm --params 50
error: the smallest, nn.LSTM(20, 1), has 92 parameters; 50 are allowed
hint: --params 92 is the smallest budget that allows it

$ lstm --params 1
error: the smallest, nn.LSTM(20, 1), has 92 parameters; 1 is allowed
hint: --params 92 is the smallest budget that allows it

$ lstm --proj 3 --params 9
error: the smallest, nn.LSTM(20, 4, proj_size=3), has 412 parameters; 9 are allowed
hint: --params 412 is the smallest budget that allows it

$ rnn --macs 0
error: the smallest, nn.RNN(20, 1), has 1,050 MACs; 0 are allowed
hint: --macs 1050 is the smallest budget that allows it

$ rnn --bytes 1B
error: the smallest, nn.RNN(20, 1), has 92 bytes of parameters; 1 is allowed
hint: --bytes 92 is the smallest budget that allows it

$ lstm --match rnn --hidden 9
error: --hidden 9 is given, but it is the size to be found
hint: leave --hidden out

$ lstm --params 1M --solve proj --proj 3
error: --proj 3 is given, but it is the size to be found
hint: leave --proj out

$ lstm --params 1M --hidden 40 --proj 3
error: --hidden 40 is given, but it is the size to be found
hint: leave --hidden out

$ lstm --params 1M --hidden 40 --proj 3 --solve proj
error: --proj 3 is given, but it is the size to be found
hint: leave --proj out

$ gru --params 1M --hidden 40
error: --hidden 40 is given, but it is the size to be found
hint: leave --hidden out

$ lstm --params 1M --hidden 40 --cell
error: --hidden 40 is given, but it is the size to be found
hint: leave --hidden out

$ lstm --params 1M --solve layers
error: --solve layers is unknown; it is one of hidden, proj
hint: give one of those words

$ gru --params 1M --solve proj
error: nn.GRU has no proj_size; only nn.LSTM has one
hint: --solve hidden

$ lstm --params 1M --solve proj --cell
error: nn.LSTMCell has no proj_size; only nn.LSTM has one
hint: --solve hidden

$ gru --params 1M --proj 3
error: nn.GRU has no proj_size; only nn.LSTM has one
hint: leave --proj out

$ lstm --params 1M --nonlinearity relu
error: nn.LSTM has no nonlinearity; only nn.RNN has one
hint: leave --nonlinearity out

$ lstm --params 1M --solve proj --hidden 1
error: hidden_size 1 leaves no smaller proj_size
hint: --hidden 2 or more

$ lstm --macs 1M --batch 0
error: with batch 0 there are no MACs, so every layer fits
hint: --params instead of --macs, or a batch of 1 or more

$ lstm --params 1e6
error: --params 1e6 is not a number
hint: --params 1000000

$ lstm --params -5
error: --params -5 is not a number
hint: --params 1.5M

$ lstm --params 136,960
error: --params 136,960 is not a number
hint: --params 136960

$ lstm --params 4MiB
error: --params 4MiB is an amount of bytes
hint: --bytes 4MiB

$ lstm --macs 1.5B
error: --macs 1.5B is an amount of bytes; a billion is 1000M
hint: --macs 1500000000

$ lstm --params 9920B
error: --params 9920B is an amount of bytes
hint: --bytes 9920B

$ lstm --bytes lots
error: --bytes lots is not a number
hint: --bytes 4MiB

$ lstm --params 0.0005k
error: --params 0.0005k is not whole
hint: --params 0

$ lstm --match tcn
error: tcn is not a layer, an existing file or the path of a model
hint: a target is "lstm --hidden 40 --bidir", "nn.LSTM(20, 40, bidirectional=True)", weights.pt or net.py:Tagger
"""  # noqa: E501


@pytest.mark.parametrize(("words", "error", "hint"), refusals(REFUSED))
def test_a_bad_request_is_two_lines_and_nothing_on_stdout(
    words: str, error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    require_refused("budget", words, error, hint, capsys)


def test_a_smaller_match_is_said_to_be_too_small(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["budget", "lstm", "--match", "rnn", "--proj", "39"]) == 2
    problem, hint = capsys.readouterr().err.splitlines()
    assert problem.startswith("error: the smallest, nn.LSTM(20, 40, proj_size=39), has 11,320 ")
    assert hint == "hint: --match a layer of 11,320 parameters or more"


def test_a_budget_of_more_digits_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    error = f"error: --params {'9' * 60}... has 4,001 characters; the most is 4,000"
    words = f"lstm --params {'9' * 4001}"
    require_refused("budget", words, error, "hint: --params 1.5M", capsys)


def test_a_budget_beyond_any_float_is_refused_where_it_is_not_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = f"error: --params {'9' * 60}... is not whole"
    words = f"lstm --params {'9' * 390}.5"
    require_refused("budget", words, error, f"hint: --params {'9' * 390}", capsys)


def test_a_400_digit_budget_is_solved_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    data = _data(f"lstm --params {'9' * 400}", capsys)
    used = [each["used"] for each in data["candidates"]]
    assert used[1] <= 10**400 - 1 < used[2]


def test_every_number_of_the_transcripts_is_what_the_formula_says() -> None:
    text = (ROOT / "tests/goldens/budget.md").read_text()
    tables = re.findall(
        r"^\**`?(nn\..*\))`?\**\n\n(?:.*\n)?(?:\|-.*\n)?((?:.*_size=\d+`? .*\n)+)",
        text,
        re.MULTILINE,
    )
    assert len(tables) == 6
    for constructor, rows in tables:
        for row in rows.splitlines():
            sought, size = re.findall(r"(hidden|proj)_size=(\d+)", row)[0]
            if sought == "hidden":
                layer = re.sub(r"^(nn\.\w+\(\d+, )\d+", rf"\g<1>{size}", constructor)
            else:
                layer = re.sub(r"proj_size=\d+", f"proj_size={size}", constructor)
            ((_, parameters),) = reference.constructed(layer)
            assert f" {parameters:,}" in row, row


def test_a_disagreement_exits_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = forward.measure

    def lying(*request: Any) -> Facts:
        measured = measure(*request)
        return replace(measured, counts={**measured.counts, "parameters": 1})

    monkeypatch.setattr(forward, "measure", lying)
    assert main(["budget", "gru", "--params", "10k"]) == 3
    assert "MISMATCH" in capsys.readouterr().out
