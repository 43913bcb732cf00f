"""`rnnshape compare`: exact ratios, the grid, what is shown and what is refused."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnshape.analysis.comparison import ORDERS, Comparison, group, ordered
from rnnshape.analysis.summands import alone
from rnnshape.cli.main import main
from rnnshape.errors import word
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Claim, Facts
from rnnshape.layer.input import InputSpec
from rnnshape.layer.stateless import Linear
from rnnshape.layer.subject import Subject
from rnnshape.pytorch import forward
from tests import reference
from tests.program import Result, call, environment, spawn
from tests.refusals import refusals, require_refused
from tests.schemas import problems
from tests.strategies import examples, inputs, layers
from tests.terminal import PLAIN, shown
from tests.transcripts import ROOT


@examples(100)
@given(st.lists(st.tuples(layers(), inputs()), min_size=1, max_size=5))
def test_counts_and_ratios_are_exact(asked: list[tuple[RNNConfig, InputSpec]]) -> None:
    baseline = asked[0]
    subjects = [Subject(config=config, input_spec=spec) for config, spec in asked]
    for row, (config, spec) in zip(group([*map(alone, subjects)]).rows, asked, strict=True):
        own = reference.parameters(config)
        multiply_adds = reference.macs(config, spec)
        assert (row.subject.config, row.parameters, row.macs) == (config, own, multiply_adds)
        assert row.parameters_ratio == Fraction(own, reference.parameters(baseline[0]))
        whole = reference.macs(*baseline)
        assert row.macs_ratio == (Fraction(multiply_adds, whole) if whole else None)


@examples(100)
@given(st.lists(layers(), min_size=1, max_size=8), st.sampled_from(sorted(ORDERS)))
def test_sorting_moves_rows_and_changes_none(configs: list[RNNConfig], order: str) -> None:
    found = group([alone(Subject(config=config)) for config in configs])
    rows = ordered(Comparison(groups=(found,), request=""), order).rows
    keys = [ORDERS[order](row) for row in rows]
    assert keys == sorted(keys)
    assert sorted(map(repr, rows)) == sorted(map(repr, found.rows))


def _rows(words: str, capsys: pytest.CaptureFixture[str]) -> list[list[dict[str, Any]]]:
    assert main(["compare", *shlex.split(words), "-f", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert problems(data, "compare") == []
    return [each["rows"] for each in data["groups"]]


def test_the_grid_is_every_combination_and_the_baseline_restarts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = "lstm gru --input 3,5 --hidden 7..9 --layers 1,2 --batch 2,4 --seq 6"
    groups = _rows(words, capsys)
    points = list(product((3, 5), (7, 8, 9), (1, 2), (2, 4)))
    assert len(groups) == len(points)
    for rows, (input_size, hidden, num_layers, batch) in zip(groups, points, strict=True):
        assert [row["config"]["kind"] for row in rows] == ["LSTM", "GRU"]
        assert [row["parameters_ratio"] for row in rows] == ["1", "3/4"]
        for row in rows:
            assert row["config"]["input_size"] == input_size
            assert row["config"]["hidden_size"] == hidden
            assert row["config"]["num_layers"] == num_layers
            assert row["input"]["batch_size"] == batch
            assert row["output"] == [6, batch, hidden]


def test_one_target_is_compared_with_itself_over_the_grid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (rows,) = _rows("lstm --hidden 8,16", capsys)
    assert [row["parameters_ratio"] for row in rows] == ["1", "38/15"]


def test_options_of_one_kind_reach_that_kind_alone(capsys: pytest.CaptureFixture[str]) -> None:
    (rows,) = _rows("lstm gru rnn --proj 10 --nonlinearity relu", capsys)
    assert [row["config"]["proj_size"] for row in rows] == [10, 0, 0]
    assert [row["config"]["nonlinearity"] for row in rows] == [None, None, "relu"]


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        pytest.param("lstm gru rnn", "nn.LSTM", "nn.RNN", id="as given"),
        pytest.param("lstm gru rnn --sort parameters", "nn.RNN", "nn.LSTM", id="parameters"),
        pytest.param("lstm gru rnn --sort macs", "nn.RNN", "nn.LSTM", id="macs"),
        pytest.param("lstm gru rnn --sort name", "nn.GRU", "nn.RNN", id="name"),
    ],
)
def test_rows_are_sorted_within_a_group(
    words: str, first: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = _rows(f"{words} --hidden 4,3", capsys)
    assert [rows[0]["config"]["hidden_size"] for rows in groups] == [4, 3]
    for rows in groups:
        names = [row["constructor"].partition("(")[0] for row in rows]
        assert (names[0], names[-1]) == (first, last)
        assert next(row for row in rows if "LSTM" in row["constructor"])["macs_ratio"] == "1"


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("lstm gru", "vs LSTM"),
        ("gru lstm lstm", "vs GRU"),
        ("lstm lstm gru", "vs 1st"),
        ("rnn", "vs 1st"),
    ],
)
def test_the_title_of_ratios_names_the_baseline_where_that_is_enough(
    words: str, title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *words.split()]) == 0
    assert title in capsys.readouterr().out


def _joined(row: re.Match[str]) -> str:
    return f"{row[1]}{row[3].rstrip().replace(chr(10), '')}{row[2]}\n"


def test_every_number_of_the_transcripts_is_what_the_formula_says() -> None:
    text = (ROOT / "tests/goldens/compare.md").read_text()
    # A long constructor goes on below, beside nothing.
    whole = re.sub(r"^(nn\.[^)]*?,)( {2,}.*)\n((?: \S.*\n)+)", _joined, text, flags=re.MULTILINE)
    lines = [line for line in whole.splitlines() if re.match(r"(\| `)?nn\.", line)]
    assert len(lines) > 15
    for line in lines:
        ((constructor, parameters),) = reference.constructed(line)
        assert f"{parameters:,}" in line.replace(constructor, ""), line


REFUSED = """
$
error: there is nothing to compare
hint: rnnshape compare lstm gru rnn

$ lstm tcn
error: tcn is not a layer, an existing file or the path of a model
hint: a target is "lstm --hidden 40 --bidir", "nn.LSTM(20, 40, bidirectional=True)", weights.pt or net.py:Tagger

$ lstm --sort parametrs
error: --sort parametrs is unknown; it is one of parameters, macs, name
hint: --sort parameters

$ lstm --limit 0
error: --limit must be a whole number of 1 or more, not 0
hint: --limit 1

$ lstm --hidden 32,x
error: --hidden must be a whole number of 1 or more, not x
hint: --hidden 40

$ lstm --hidden 32,,64
error: --hidden must be a whole number of 1 or more, not ''
hint: --hidden 40

$ lstm --hidden 64..32
error: --hidden 64..32 has no numbers: a range is FIRST..LAST or FIRST..LAST..STEP
hint: --hidden 32..64

$ lstm --hidden 1..9..0
error: --hidden 1..9..0 has no numbers: a range is FIRST..LAST or FIRST..LAST..STEP
hint: --hidden 1..9

$ lstm --hidden 1..1000000
error: --hidden 1..1000000 has 1,000,000 numbers; the most is 100,000
hint: --hidden 1..1000000..11

$ lstm gru --hidden 1..1000 --input 1..100
error: the grid has 200,000 layers; the most is 100,000
hint: give shorter lists

$ gru rnn --proj 10
error: --proj fits no target: only nn.LSTM has proj_size
hint: add lstm to the targets, or leave --proj out

$ lstm gru --nonlinearity relu
error: --nonlinearity fits no target: only nn.RNN has nonlinearity
hint: add rnn to the targets, or leave --nonlinearity out

$ 'nn.LSTM(20, 8)' --proj 8
error: proj_size 8 must be smaller than hidden_size 8
hint: --proj 6 is the largest that saves parameters; leave it out for no projection

$ lstm --hidden 8 --proj 4,8
error: proj_size 8 must be smaller than hidden_size 8
hint: --proj 6 is the largest that saves parameters; leave it out for no projection

$ lstm --input-shape 10,5,20 --batch 5,6
error: --input-shape has batch_size 5, but --batch is 6
hint: leave --batch out, or give --batch 5

$ lstm --plot a.pdf
error: --plot a.pdf has no suffix that names a picture
hint: one of .svg, .png

$ lstm --plot /nowhere/a.svg
error: cannot write /nowhere/a.svg: there is no folder /nowhere
hint: --plot with a file in a folder that you may write to

$ lstm --show all
error: rnnshape compare has no option --show
hint: rnnshape compare --help lists the options
"""  # noqa: E501


@pytest.mark.parametrize(("words", "error", "hint"), refusals(REFUSED))
def test_a_bad_request_is_two_lines_and_nothing_on_stdout(
    words: str, error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    require_refused("compare", words, error, hint, capsys)


@pytest.mark.parametrize("order", [1, -1])
def test_a_trap_is_shown_though_an_equal_layer_has_none(order: int) -> None:
    targets = ["nn.LSTM(20, 40, 2, True)", "lstm --layers 2"][::order]
    assert "True is bias, the fourth argument" in " ".join(call("compare", *targets).out.split())
    [found] = json.loads(call("compare", *targets, "-f", "json").out)["findings"]
    assert found["code"] == "bias-not-bidirectional"


def test_a_terminal_gets_a_screenful_and_is_told_so() -> None:
    screen = shown("compare", "lstm", "gru", "--hidden", "1..30", lines=30)
    assert screen.lines[-1] == "14 of 60 shown; --limit 60 shows all"
    assert len(screen.lines) < 30
    assert screen.plain.count("nn.") == 14


def test_a_terminal_is_told_nothing_where_all_fits() -> None:
    assert (
        shown("compare", "lstm", "gru", lines=30).lines[-1].startswith("not run: by formula alone")
    )


def test_a_pipe_gets_every_row() -> None:
    out = spawn("compare", "lstm", "gru", "--hidden", "1..30", env=environment(LINES="10")).out
    assert out.count("nn.") == 60
    assert "shown" not in out


def test_a_file_gets_every_row_beside_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "all.txt"
    screen = shown("compare", "lstm", "--hidden", "1..50", "-o", str(file), lines=24)
    assert screen.plain.count("nn.") == 14
    assert file.read_text().count("nn.") == 50


def test_a_limit_holds_everywhere_and_is_the_last_line() -> None:
    out = call("compare", "lstm", "gru", "--hidden", "1..9", "--limit", "3").out
    assert out.count("nn.") == 3
    assert out.splitlines()[-1] == "3 of 18 shown; --limit 18 shows all"
    assert "shown" not in call("compare", "lstm", "gru", "--limit", "2").out
    data = json.loads(call("compare", "lstm", "--hidden", "1..9", "--limit", "3", "-f", "json").out)
    assert problems(data, "compare") == []
    assert (data["total"], len(data["groups"][0]["rows"])) == (9, 3)


@pytest.mark.parametrize("columns", [200, 80, 60, 50, 40, 30])
def test_no_line_is_wrapped_and_the_least_needed_column_goes_first(columns: int) -> None:
    lines = shown("compare", "lstm", "gru", columns=columns, changes=PLAIN).lines
    head = next(line for line in lines if line.startswith("compare"))
    assert len(head) <= columns
    titles = re.split(r"  +", head)
    share = "share of LSTM" if columns > 80 else "vs LSTM"
    whole = ["compare", "parameters", share, "MACs", share, "output", "h_n, c_n"]
    leave = [[], [6], [6, 4], [6, 5, 4], [6, 5, 4, 3], [6, 5, 4, 3, 2]]
    assert titles in [[t for n, t in enumerate(whole) if n not in gone] for gone in leave]


def test_a_constructor_makes_room_for_numbers() -> None:
    words = ("compare", "lstm", "gru --bidir --layers 3 --batch-first", "--hidden", "40000")
    lines = shown(*words, columns=80, changes=PLAIN).lines
    head = next(number for number, line in enumerate(lines) if line.startswith("compare"))
    assert lines[head].split() == ["compare", "parameters", "vs", "LSTM", "MACs", "output"]
    # 20 letters of constructor leave 60 for parameters, 14 and a gap of 2, a ratio, 7 and 2, MACs,
    # 17 and 2, and the output, 14 and 2.
    assert [line[:20].rstrip() for line in lines[head + 2 : head + 6]] == [
        "nn.GRU(20, 40000,",
        " num_layers=3,",
        " batch_first=True,",
        " bidirectional=True)",
    ]
    assert max(map(len, lines[head : head + 6])) == 80


def test_equal_layers_run_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []
    measure = forward.measure

    def counted(subject: Subject, claims: Sequence[Claim]) -> Facts:
        ran.append(subject.config.constructor)
        return measure(subject, claims)

    monkeypatch.setattr(forward, "measure", counted)
    assert main(["compare", "lstm", "gru", "lstm", "--hidden", "3,3,4", "--run"]) == 0
    assert sorted(ran) == ["nn.GRU(20, 3)", "nn.GRU(20, 4)", "nn.LSTM(20, 3)", "nn.LSTM(20, 4)"]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("ok: torch ")
    assert last.endswith("on cpu, float32, gives all 4 these parameters and shapes")


def test_a_disagreement_names_the_layer_and_exits_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = forward.measure

    def lying(subject: Subject, claims: Sequence[Claim]) -> Facts:
        measured = measure(subject, claims)
        lie = {"parameters": 1} if subject.config.kind is Kind.GRU else {}
        return replace(measured, counts={**measured.counts, **lie})

    monkeypatch.setattr(forward, "measure", lying)
    assert main(["compare", "lstm", "gru", "--run"]) == 3
    out = capsys.readouterr().out
    assert "disagrees with the formulas on 1 of 2" in out
    assert re.search(r"^nn\.GRU\(20, 40\)  parameters +7,440 +1$", out, re.MULTILINE)
    assert main(["compare", "lstm", "gru", "--run", "-f", "json"]) == 3
    data = json.loads(capsys.readouterr().out)
    assert problems(data, "compare") == []
    assert data["verification"]["mismatches"] == [
        {"constructor": "nn.GRU(20, 40)", "what": "parameters", "predicted": 7440, "measured": 1}
    ]


def test_a_layer_too_large_to_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "gru", "--hidden", "5,99999999999", "--run"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: nn.GRU(20, 99999999999): ")


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_plot_is_a_picture_and_the_same_each_time(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = ["compare", "lstm", "gru", "--hidden", "8,16,32", "--plot"]
    pictures = []
    for name, program in (("a", spawn), ("b", call)):
        file = tmp_path / f"{name}.{suffix}"
        assert program(*words, str(file)).code == 0
        pictures.append(file.read_bytes())
    assert pictures[0] == pictures[1]
    start = {"svg": b"<?xml", "png": b"\x89PNG"}[suffix]
    assert pictures[0].startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix}"]


@pytest.mark.parametrize("link", [False, True])
def test_a_picture_and_a_file_are_two(link: bool, tmp_path: Path) -> None:
    plot, file = tmp_path / "p.svg", tmp_path / "q.svg"
    if link:
        file.symlink_to(plot)
    output = file if link else plot
    refused = call("compare", "lstm", "--hidden", "3,4", "--plot", str(plot), "-o", str(output))
    assert refused.code == 2
    assert refused.err.startswith("error: --plot and -o both write ")
    assert refused.err.endswith("\nhint: give each its own file\n")
    assert not plot.exists()


def test_a_plot_without_matplotlib_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')")
    words = ("compare", "lstm", "--hidden", "8,9", "--plot", str(tmp_path / "a.svg"))
    assert spawn(*words, env=environment(PYTHONPATH=str(tmp_path))) == Result(
        code=2,
        out="",
        err="error: a plot needs matplotlib, which is not installed\n"
        f"hint: {word(sys.executable)} -m pip install matplotlib\n",
    )
    assert not (tmp_path / "a.svg").exists()


# What is not ASCII, what a terminal obeys, and what Markdown does: in comments, blanks and names.
HOSTILE_TARGETS = [
    "nn.LSTM(20, # \u00e9\x1b[31m` ```\n 40)",
    "\uff4e\uff4e.LSTM(20, 40)",
    "lstm\t--hidden\n'40\u00a0'",
]


@pytest.mark.parametrize("target", HOSTILE_TARGETS, ids=ascii)
@pytest.mark.parametrize("format_", ["markdown", "html", "latex", "csv", "table"])
@pytest.mark.parametrize("command", [["compare"], ["budget", "lstm", "--match"]], ids=" ".join)
def test_a_target_is_written_in_ascii_that_obeys_nothing(
    target: str, format_: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, target, "--no-run", "-f", format_]) == 0
    out = capsys.readouterr().out.replace("\n", "").replace("\r", "")
    assert out.isascii()
    assert out.isprintable()


@pytest.mark.parametrize("target", HOSTILE_TARGETS, ids=ascii)
def test_the_request_of_a_verdict_gives_the_same_when_it_is_repeated(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", target, "gru", "--layers", "2", "-f", "markdown"]) == 0
    first = capsys.readouterr().out
    verdict = first[first.rindex("rnnshape compare") :]
    request = verdict[: verdict.index("--layers 2")] + "--layers 2"
    assert main([*shlex.split(request)[1:], "-f", "markdown"]) == 0
    assert capsys.readouterr().out == first


TRAP = (
    "True is bias, the fourth argument; nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
    " is bidirectional"
)


@pytest.mark.parametrize("command", [["compare", "gru"], ["budget", "lstm", "--match"]])
def test_what_a_target_shows_is_said_of_it(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*command, "nn.LSTM(20,40, 4,True)", "--no-run"]
    assert main(words) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"note: nn.LSTM(20, 40, 4, True): {TRAP}" in text
    assert main([*words, "-f", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    said = {"code": "bias-not-bidirectional", "message": f"nn.LSTM(20, 40, 4, True): {TRAP}"}
    assert data["findings"] == [said]


def test_a_target_that_shows_nothing_has_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "nn.LSTM(20, 40, 4)", "gru"]) == 0
    assert "note" not in capsys.readouterr().out


def test_copies_are_counted_and_summed() -> None:
    result = call("compare", "6 x nn.LSTM(20, 40)", "2x gru", "--input", "20")
    assert (result.code, result.err) == (0, "")
    lstm, gru = (
        sum(p.numel() for p in layer.parameters()) for layer in (nn.LSTM(20, 40), nn.GRU(20, 40))
    )
    rows = {line.partition("  ")[0]: line.split() for line in result.out.splitlines()}
    assert f"{6 * lstm:,}" in rows["6 x nn.LSTM(20, 40)"]
    assert f"{2 * gru:,}" in rows["2 x nn.GRU(20, 40)"]
    assert f"{6 * lstm + 2 * gru:,}" in rows["total"]
    data = json.loads(call("compare", "6 x nn.LSTM(20, 40)", "2x gru", "-f", "json").out)
    (group,) = data["groups"]
    assert [row["copies"] for row in group["rows"]] == [6, 2]
    assert group["parameters"] == 6 * lstm + 2 * gru
    assert group["rows"][1]["parameters_ratio"] == str(Fraction(2 * gru, 6 * lstm))


@pytest.mark.parametrize("target", ["6 x lstm", "6*lstm", "6 * lstm", "6X lstm"])
def test_a_number_of_copies_is_written_as_people_write_it(target: str) -> None:
    result = call("compare", target, "gru", "-f", "json")
    (group,) = json.loads(result.out)["groups"]
    assert [row["copies"] for row in group["rows"]] == [6, 1]


def test_only_a_comparison_counts_copies() -> None:
    result = call("inspect", "6 x lstm")
    assert result.code == 2
    assert result.err.endswith('hint: rnnshape compare "6 x lstm"\n')
    assert call("compare", "lstm", "0 x rnn").code == 2


# Sums of layers


def _sum(words: str) -> dict[str, Any]:
    result = call("compare", *shlex.split(words), "-f", "json")
    assert (result.code, result.err) == (0, "")
    data: dict[str, Any] = json.loads(result.out)
    assert problems(data, "compare") == []
    return data


def _counted(*layers: nn.Module) -> int:
    return sum(p.numel() for layer in layers for p in layer.parameters())


def test_a_sum_has_the_parameters_and_macs_of_its_layers() -> None:
    data = _sum("lstm 'nn.Embedding(1000, 20) + 2 x nn.LSTM(20, 20) + nn.Linear(20, 7)' --run")
    _, row = data["groups"][0]["rows"]
    lstm, linear = nn.LSTM(20, 20), nn.Linear(20, 7)
    assert row["parameters"] == _counted(nn.Embedding(1000, 20), lstm, lstm, linear)
    steps = 10 * 5
    assert [each["macs"] for each in row["parts"]] == [
        0,  # rows are looked up
        2 * steps * 4 * 20 * (20 + 20),
        steps * 20 * 7,
    ]
    assert row["macs"] == sum(each["macs"] for each in row["parts"])
    assert row["output"] == [10, 5, 7]
    assert (row["config"], row["final_states"]) == (None, None)
    assert data["verification"]["agrees"] is True
    assert data["findings"] == []
    out = call("compare", "lstm", "lstm + nn.Linear(40, 7)", "--run").out
    assert out.endswith("gives both these parameters and shapes,\n    nn.Linear on meta\n")


@pytest.mark.parametrize(
    ("layer", "built"),
    [
        ("nn.Linear(40, 20)", nn.Linear(40, 20)),
        ("nn.Linear(40, 20, bias=False)", nn.Linear(40, 20, bias=False)),
        ("nn.Linear(40, 20, False)", nn.Linear(40, 20, bias=False)),
        ("Linear(in_features=40, out_features=4 * 5, bias=True)", nn.Linear(40, 20)),
        ("torch.nn.Embedding(10, 3, padding_idx=0)", nn.Embedding(10, 3, padding_idx=0)),
    ],
)
def test_a_layer_without_a_state_is_read_as_torch_builds_it(layer: str, built: nn.Module) -> None:
    (row,) = _sum(f"'gru + {layer}'")["groups"][0]["rows"]
    assert row["parts"][1]["parameters"] == _counted(built)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nn.LSTM(20, 40) + nn.Linear(30, 7)", "40 features, but nn.Linear(30, 7) reads 30"),
        ("nn.GRU(20, 40, bidirectional=True) + nn.Linear(40, 7)", "gives 80 features"),
        ("nn.LSTM(20, 40) + nn.Embedding(9, 20)", "reads indices, not the 40 features"),
        ("2 x nn.LSTM(20, 40) + nn.Linear(40, 7)", "one copy cannot read another"),
    ],
)
def test_a_sum_that_is_no_chain_is_counted_and_said_to_be_none(words: str, says: str) -> None:
    data = _sum(f"'{words}'")
    (found,) = data["findings"]
    assert found["code"] == "sum-not-a-chain"
    assert says in found["message"]
    assert says in call("compare", words).out.replace("\n      ", " ")


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_a_stack_whose_directions_are_summed_has_what_its_layers_have(kind: Kind) -> None:
    layer = getattr(nn, kind.value)
    stack = [layer(13, 6, bidirectional=True)]
    stack += [layer(6, 6, bidirectional=True) for _ in range(4)]
    name = kind.value.lower()
    words = "--bidir --layers 5 --input 13 --hidden 6"
    for asked in (f"'{name} --merge sum' {words}", f"'{name} {words} --merge=sum'"):
        (row,) = _sum(f"{asked} --run")["groups"][0]["rows"]
        assert row["parameters"] == _counted(*stack)
        assert row["output"] == [10, 5, 6]
    (row,) = _sum(f"'{name} --merge concat' {words} --merge sum")["groups"][0]["rows"]
    assert row["parameters"] == _counted(layer(13, 6, 5, bidirectional=True))


def test_sums_are_copied_totalled_and_sorted() -> None:
    group = _sum("'6 x lstm + nn.Linear(40, 20)' '6 x gru' --sort parameters")["groups"][0]
    lstm, gru = _counted(nn.LSTM(20, 40)), _counted(nn.GRU(20, 40))
    assert group["baseline"] == "6 x nn.LSTM(20, 40) + nn.Linear(40, 20)"
    assert [row["constructor"] for row in group["rows"]] == ["nn.GRU(20, 40)", group["baseline"]]
    assert group["parameters"] == 6 * lstm + 6 * gru + _counted(nn.Linear(40, 20))


def test_pytorch_refutes_a_wrong_count_of_a_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linear, "parameters", 1)
    result = call("compare", "lstm + nn.Linear(40, 20)", "--run")
    assert result.code == 3
    assert re.search(r"nn.Linear\(40, 20\)  parameters +1 +820", result.out)


@pytest.mark.parametrize("columns", [200, 80, 60])
def test_the_states_are_shown_where_there_is_room_and_break_nothing(columns: int) -> None:
    wide = "nn.LSTM(20, 40, num_layers=2, bidirectional=True, batch_first=True)"
    lines = shown("compare", "lstm --proj 9", wide, columns=columns, changes=PLAIN).lines
    head = next(line for line in lines if line.startswith("compare"))
    assert ("h_n" in head) == ("c_n" in head) == (columns == 200)
