"""A request that cannot be met: two lines on stderr, nothing on stdout, exit code 2."""

from __future__ import annotations

import string
import sys
from dataclasses import replace

import pytest
import torch
import typer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnnshape.cli.commands import application
from rnnshape.layer.settings import DType
from rnnshape.layer.weights import MOST_WEIGHTS
from rnnshape.pytorch import run
from tests.program import Result, call
from tests.terminal import ESCAPE

DTYPES = ", ".join(dtype.value for dtype in DType)
UNBATCHED = "--unbatched is one sequence without a batch"
LSTM_HELP = "rnnshape lstm --help lists the options"
SECTIONS = (
    "header, shapes, states, code, grid, diagram, weights, arithmetic, gates, layouts,"
    " compare, cost, frameworks, findings, time, training, verification, expectations"
)
COMMANDS = "lstm, gru, rnn, inspect, compare, budget, check, explain"


def _size(given: str, nearest: int, option: str = "--hidden", least: int = 1) -> tuple[str, str]:
    return (
        f"{option} must be a whole number of {least} or more, not {given}",
        f"{option} {nearest}",
    )


# The words of a request, and what `error:` and `hint:` must say of it.
REFUSED: dict[str, tuple[tuple[str, ...], tuple[str, str]]] = {
    "hidden 0": (("lstm", "--hidden", "0"), _size("0", 1)),
    "hidden -1": (("lstm", "--hidden", "-1"), _size("-1", 40)),
    "hidden 8.0": (("lstm", "--hidden", "8.0"), _size("8.0", 8)),
    "hidden 1_0": (("lstm", "--hidden", "1_0"), _size("1_0", 10)),
    "hidden 4.5": (("lstm", "--hidden", "4.5"), _size("4.5", 4)),
    "hidden nan": (("lstm", "--hidden", "nan"), _size("nan", 40)),
    "hidden empty": (("lstm", "--hidden", ""), _size("''", 40)),
    "hidden blank": (("lstm", "--hidden", " "), _size("' '", 40)),
    "hidden in other digits": (("lstm", "--hidden", "\uff15"), _size("\uff15", 40)),
    "hidden with an escape": (("lstm", "--hidden", "\x1b[31m"), _size(r"'\x1b[31m'", 40)),
    "hidden on two lines": (("lstm", "--hidden", "4\n0"), _size(r"'4\n0'", 40)),
    "hidden of 600 digits": (
        ("lstm", "--hidden", "9" * 600),
        ("--hidden has 600 digits; the most is 500", "give a smaller number"),
    ),
    "hidden of 501 digits": (
        ("lstm", "--hidden", "9" * 501),
        ("hidden_size has over 500 digits", "give a smaller number"),
    ),
    "hidden in other words": (("lstm", "--hidden", "1.5e3"), _size("1.5e3", 1500)),
    "hidden with a negative exponent": (("lstm", "--hidden", "4e-1"), _size("4e-1", 1)),
    "input in words": (("lstm", "--input", "two"), _size("two", 20, "--input")),
    "layers in words": (("lstm", "--layers", "two"), _size("two", 1, "--layers")),
    "batch in words": (("lstm", "--batch", "two"), _size("two", 5, "--batch", 0)),
    "seq in words": (("lstm", "--seq", "two"), _size("two", 10, "--seq")),
    "layers 0": (("lstm", "--layers", "0"), _size("0", 1, "--layers")),
    "seq 0": (("lstm", "--seq", "0"), _size("0", 1, "--seq")),
    "proj 0": (("lstm", "--proj", "0"), ("--proj 0 means none", "leave --proj out")),
    "batch -1": (("lstm", "--batch", "-1"), _size("-1", 5, "--batch", 0)),
    "a shape for a size": (
        ("lstm", "--input", "5,10,20"),
        ("--input is one number, H_in; 5,10,20 is a shape", "--input-shape 5,10,20"),
    ),
    "a shape with x for a size": (
        ("lstm", "--hidden", "(5x10)"),
        ("--hidden is one number, H_cell; (5x10) is a shape", "--hidden 10"),
    ),
    # 4*40*40 parameters of W_hh against 4*40*P + P*40: saved below 32.
    "proj as wide as hidden": (
        ("lstm", "--proj", "40"),
        (
            "proj_size 40 must be smaller than hidden_size 40",
            "--proj 31 is the largest that saves parameters; leave it out for no projection",
        ),
    ),
    "proj wider than hidden": (
        ("lstm", "--hidden", "10", "--proj", "11"),
        (
            "proj_size 11 must be smaller than hidden_size 10",
            "--proj 7 is the largest that saves parameters; leave it out for no projection",
        ),
    ),
    "no proj can save": (
        ("lstm", "--hidden", "1", "--proj", "1"),
        (
            "proj_size 1 must be smaller than hidden_size 1",
            "leave --proj out: no projection saves parameters here",
        ),
    ),
    "gru --proj": (
        ("gru", "--proj", "10"),
        ("nn.GRU has no proj_size; only nn.LSTM has one", "rnnshape lstm --proj 10"),
    ),
    "rnn --proj": (
        ("rnn", "--proj", "10"),
        ("nn.RNN has no proj_size; only nn.LSTM has one", "rnnshape lstm --proj 10"),
    ),
    "lstm --nonlinearity": (
        ("lstm", "--nonlinearity", "relu"),
        ("nn.LSTM has no nonlinearity; only nn.RNN has one", "rnnshape rnn --nonlinearity relu"),
    ),
    "sigmoid": (
        ("rnn", "--nonlinearity", "sigmoid"),
        (
            "nonlinearity 'sigmoid' is neither tanh nor relu",
            "--nonlinearity tanh",
        ),
    ),
    "input shape against batch": (
        ("lstm", "--input-shape", "10,5,20", "--batch", "4"),
        (
            "--input-shape has batch_size 5, but --batch is 4",
            "leave --batch out, or give --batch 5",
        ),
    ),
    "input shape against seq": (
        ("lstm", "--input-shape", "10,5,20", "--seq", "4"),
        ("--input-shape has seq_len 10, but --seq is 4", "leave --seq out, or give --seq 10"),
    ),
    "input shape against seq, batch first": (
        ("lstm", "--input-shape", "10,5,20", "--seq", "4", "--batch-first"),
        ("--input-shape has seq_len 5, but --seq is 4", "leave --seq out, or give --seq 5"),
    ),
    "input shape against input": (
        ("lstm", "--input-shape", "10,5,20", "--input", "4"),
        (
            "--input-shape has input_size 20, but --input is 4",
            "leave --input out, or give --input 20",
        ),
    ),
    "input shape against unbatched": (
        ("lstm", "--input-shape", "10,5,20", "--unbatched"),
        (
            f"{UNBATCHED}, but --input-shape 10,5,20 has a batch axis",
            "--input-shape 10,20, or leave --unbatched out",
        ),
    ),
    "input shape against unbatched, batch first": (
        ("lstm", "--input-shape", "5,10,20", "--unbatched", "--batch-first"),
        (
            f"{UNBATCHED}, but --input-shape 5,10,20 has a batch axis",
            "--input-shape 10,20, or leave --unbatched out",
        ),
    ),
    "batch against unbatched": (
        ("lstm", "--unbatched", "--batch", "5"),
        (
            f"{UNBATCHED}, but --batch 5 is given",
            "leave out --unbatched or --batch",
        ),
    ),
    "input shape of 1 size": (
        ("lstm", "--input-shape", "10"),
        ("--input-shape has 3 sizes, or 2 without a batch; 10 has 1", "--input-shape 10,5,20"),
    ),
    "input shape of 4 sizes": (
        ("lstm", "--input-shape", "1,2,3,4"),
        ("--input-shape has 3 sizes, or 2 without a batch; 1,2,3,4 has 4", "--input-shape 10,5,20"),
    ),
    "input shape of 2 sizes with batch": (
        ("lstm", "--input-shape", "12,24", "--batch", "3"),
        ("--input-shape has 3 sizes, L,N,H_in; 12,24 has 2", "--input-shape 12,3,24"),
    ),
    "input shape of 2 sizes with batch first": (
        ("lstm", "--input-shape", "10,20", "--batch", "5", "--batch-first"),
        ("--input-shape has 3 sizes, N,L,H_in; 10,20 has 2", "--input-shape 5,10,20"),
    ),
    "input shape of 3 sizes for a cell": (
        ("lstm", "--cell", "--input-shape", "10,5,20"),
        ("--input-shape has 2 sizes, or 1 without a batch; 10,5,20 has 3", "--input-shape 5,20"),
    ),
    "steps for a cell": (
        ("lstm", "--cell", "--seq", "3"),
        (
            "a cell takes one step, but --seq 3 is given",
            "leave --seq out, or ask for the layer instead of its cell",
        ),
    ),
    "lengths for a cell": (
        ("lstm", "--cell", "--lengths", "3,2"),
        (
            "a cell takes one step, but --lengths 3,2 is given",
            "leave --lengths out, or ask for the layer instead of its cell",
        ),
    ),
    "lengths of letters": (
        ("lstm", "--lengths", "7,a"),
        (
            "--lengths must be whole numbers of 1 or more, separated by commas, not 7,a",
            "--lengths 7",
        ),
    ),
    "a length of 0": (
        ("lstm", "--lengths", "7,0,2"),
        (
            "a length is 0, which pack_padded_sequence refuses: each row needs a step",
            "--lengths 7,2: pack only the rows that have steps, those of mask = lengths > 0",
        ),
    ),
    "only a length of 0": (
        ("lstm", "--lengths", "0"),
        (
            "a length is 0, which pack_padded_sequence refuses: each row needs a step",
            "--lengths 1: pack only the rows that have steps, those of mask = lengths > 0",
        ),
    ),
    "a negative length among others": (
        ("lstm", "--lengths", "7,-1,2"),
        (
            "--lengths must be whole numbers of 1 or more, separated by commas, not 7,-1,2",
            "--lengths 7,1,2",
        ),
    ),
    "lengths against input shape": (
        ("lstm", "--lengths", "7,3", "--input-shape", "7,3,20"),
        ("--input-shape has batch_size 3, but there are 2 lengths", "--input-shape 7,2,20"),
    ),
    "as many lengths as the first axis of the input shape": (
        ("lstm", "--input-shape", "3,5,3", "--lengths", "4,2,3"),
        (
            "--input-shape has batch_size 5, but there are 3 lengths",
            "--batch-first makes 3 the batch, or --input-shape 4,3,3",
        ),
    ),
    "a length of more steps than the input shape has": (
        ("lstm", "--input-shape", "5,2,1", "--lengths", "7,3"),
        (
            "length 7 is longer than the input's 5 steps",
            "--lengths 5,3: PyTorch packs the steps there are, and the layer then raises",
        ),
    ),
    "lengths against batch": (
        ("lstm", "--lengths", "7,3", "--batch", "3"),
        ("there are 2 lengths, but --batch is 3", "leave --batch out, or give --batch 2"),
    ),
    "a list of hidden sizes": (
        ("lstm", "--hidden", "32,64"),
        (
            "--hidden is one number, H_cell; 32,64 is a list",
            "rnnshape compare lstm --hidden 32,64",
        ),
    ),
    "input shape of letters": (
        ("lstm", "--input-shape", "a,b,c"),
        (
            "--input-shape must be sizes separated by commas, not a,b,c",
            "write the numbers out, as in --input-shape 10,5,20",
        ),
    ),
    "input shape of negative sizes": (
        ("lstm", "--input-shape", "10,-5,20"),
        (
            "--input-shape must be sizes separated by commas, not 10,-5,20",
            "write the numbers out, as in --input-shape 10,5,20",
        ),
    ),
    "input shape without steps": (
        ("lstm", "--input-shape", "0,5,20"),
        ("--input-shape has seq_len 0, which must be 1 or more", "--input-shape 1,5,20"),
    ),
    "input shape without features": (
        ("lstm", "--input-shape", "10,0"),
        ("--input-shape has input_size 0, which must be 1 or more", "--input-shape 10,1"),
    ),
    "unknown device": (
        ("lstm", "--device", "tpu"),
        ("unknown device 'tpu'", "one of cpu, cuda, cuda:1, mps, xpu, meta"),
    ),
    "a second cpu": (
        ("lstm", "--device", "cpu:1"),
        ("device cpu:1: there is only one cpu device", "--device cpu"),
    ),
    "unknown dtype": (
        ("lstm", "--dtype", "float31"),
        ("unknown dtype 'float31'", f"one of {DTYPES}"),
    ),
    "integer dtype": (
        ("lstm", "--dtype", "int64"),
        (
            "dtype int64 is not floating-point or complex, as a layer's weights must be",
            f"one of {DTYPES}",
        ),
    ),
    "dropout 1.5": (
        ("lstm", "--dropout", "1.5"),
        ("--dropout must be a probability from 0 to 1, not 1.5", "--dropout 0.2"),
    ),
    "dropout nan": (
        ("lstm", "--dropout", "nan"),
        ("--dropout must be a probability from 0 to 1, not nan", "--dropout 0.2"),
    ),
    "dropout -1": (
        ("lstm", "--dropout", "-1"),
        ("--dropout must be a probability from 0 to 1, not -1", "--dropout 0.2"),
    ),
    "unknown section": (
        ("lstm", "--show", "weightz"),
        (
            f"--show weightz is unknown; it is one of default, all, {SECTIONS}",
            "--show weights",
        ),
    ),
    "empty section": (
        ("lstm", "--show", "shapes,"),
        (f"--show '' is unknown; it is one of default, all, {SECTIONS}", "give one of those words"),
    ),
    "times without --time": (
        ("lstm", "--show", "shapes,time", "--no-run"),
        ("--show time shows what --time measures, but --time is not given", "add --time"),
    ),
    "expectations without --expect": (
        ("lstm", "--show", "expectations", "--no-run"),
        (
            "--show expectations shows what --expect judges, but --expect is not given",
            'add --expect "params <= 150k"',
        ),
    ),
    "the grid of a cell": (
        ("gru", "--cell", "--show", "grid"),
        ("--show grid needs a layer; a cell takes only one step", "--show default"),
    ),
    "the layouts of a cell": (
        ("gru", "--cell", "--show", "shapes,layouts"),
        ("--show layouts needs a layer; a cell takes only one step", "--show default"),
    ),
    "unknown format": (
        ("lstm", "--format", "jsno"),
        (
            (
                "--format jsno is unknown; it is one of table, markdown, html, latex, csv, json,"
                " svg, github, junit"
            ),
            "--format json",
        ),
    ),
    "unknown short format": (
        ("lstm", "-fyaml"),
        (
            (
                "--format yaml is unknown; it is one of table, markdown, html, latex, csv, json,"
                " svg, github, junit"
            ),
            "give one of those words",
        ),
    ),
    "unknown color": (
        ("lstm", "--color", "alwayz"),
        ("--color alwayz is unknown; it is one of auto, always, never", "--color always"),
    ),
    "unknown option": (
        ("lstm", "--temperature", "1"),
        ("rnnshape lstm has no option --temperature", LSTM_HELP),
    ),
    "misspelt option": (
        ("lstm", "--hidde", "40"),
        ("rnnshape lstm has no option --hidde", "rnnshape lstm --hidden 40"),
    ),
    "option cut short": (
        ("lstm", "--layer", "4"),
        ("rnnshape lstm has no option --layer", "rnnshape lstm --layers 4"),
    ),
    "unknown short option": (
        ("lstm", "-x"),
        ("rnnshape lstm has no option -x", LSTM_HELP),
    ),
    "option before the command": (
        ("--hidden", "40", "lstm"),
        (
            "no option --hidden before the command",
            "rnnshape lstm --hidden 40",
        ),
    ),
    "words that a shell divides, as an option before the command": (
        ("--a; b", "lstm"),
        ("no option --a; b before the command", "rnnshape --help shows how"),
    ),
    "extra arguments": (
        ("lstm", "20", "40"),
        ("unexpected 20 40: sizes are given by name", "rnnshape lstm --input 20 --hidden 40"),
    ),
    "an empty extra argument": (
        ("lstm", ""),
        ("unexpected '': rnnshape lstm takes only options", "rnnshape lstm"),
    ),
    "misspelt command": (
        ("lstmm",),
        (f"no command lstmm; the commands are {COMMANDS}", "rnnshape lstm"),
    ),
    "misspelt command in capitals": (
        ("GRUS",),
        (f"no command GRUS; the commands are {COMMANDS}", "rnnshape gru"),
    ),
    "option without value": (
        ("lstm", "--hidden"),
        ("option --hidden takes a value", "rnnshape lstm --hidden 40"),
    ),
    "option in PyTorch's spelling without value": (
        ("lstm", "--hidden_size"),
        ("option --hidden takes a value", "rnnshape lstm --hidden 40"),
    ),
    "flag with value": (
        ("lstm", "--bidir=1"),
        ("option --bidir takes no value", "rnnshape lstm --bidir"),
    ),
    "flag in Python's spelling with value": (
        ("lstm", "--bidirectional=True"),
        ("option --bidir takes no value", "rnnshape lstm --bidir"),
    ),
    "too many weights to name": (
        ("lstm", "--layers", "25001", "--full", "--no-run"),
        (
            "the layer has 100,004 weights; the most listed is 100,000",
            "tables of text and Markdown fold them into a few rows unless --full is given",
        ),
    ),
    "too many weights to build": (
        ("lstm", "--layers", "25001"),
        (
            "a run would build 100,004 weights; the most is 100,000",
            "--no-run computes everything by formula",
        ),
    ),
    "a size with a comma for thousands": (
        ("lstm", "--hidden", "1,024"),
        ("--hidden must be a number without commas, not 1,024", "--hidden 1024"),
    ),
    "a weight of more than 2**63 - 1 bytes": (
        # 4 * 2^31 rows of 2^31 columns.
        ("lstm", "--hidden", "2147483648"),
        (
            f"weight_hh_l0 would take {2**66:,} bytes; PyTorch allows at most 2**63 - 1",
            "--no-run computes everything by formula",
        ),
    ),
}


def two_lines(result: Result) -> tuple[str, str]:
    """What `error:` and `hint:` say, of a result that is nothing else than refused."""
    assert result.code == 2
    assert result.out == ""
    error, hint, rest = result.err.split("\n")
    assert rest == ""
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error.removeprefix("error: "), hint.removeprefix("hint: ")


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_in_two_lines(
    words: tuple[str, ...], said: tuple[str, str]
) -> None:
    assert two_lines(call(*words)) == said


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "cuda:0"])
def test_cuda_is_refused_by_a_torch_that_is_built_without(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for backend in ("cuda", "hip", "xpu"):
        monkeypatch.setattr(torch.version, backend, None)
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    assert two_lines(call("lstm", "--device", device)) == (
        f"device {device}: torch 2.13.0+cpu is built without CUDA",
        "--device cpu, or --no-run for the formulas alone",
    )


def test_a_cuda_device_beyond_the_last_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert two_lines(call("lstm", "--device", "cuda:2")) == (
        "device cuda:2: there are 2 CUDA devices here, numbered from 0",
        "--device cpu, or --no-run for the formulas alone",
    )


@pytest.mark.parametrize("dtype", ["float8_e5m2", "float8_e4m3fn", "complex32"])
def test_a_dtype_that_pytorch_has_but_does_not_run_is_refused(dtype: str) -> None:
    problem, hint = two_lines(call("lstm", "--dtype", dtype))
    assert problem.startswith(f"PyTorch does not run nn.LSTM in {dtype} on cpu: ")
    assert hint == "--dtype float32, or --no-run for the formulas alone"
    assert call("lstm", "--dtype", dtype, "--no-run").code == 0


BIGGEST = ("lstm", "--input", "65536", "--hidden", "65536", "--bidir", "--layers", "8")


def test_a_run_that_memory_cannot_hold_is_refused_with_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "available_memory", lambda: 16 * 2**30)
    # weight_ih_l0 and weight_ih_l1: four gates of H rows, H and 2H columns; four bytes a number.
    assert 4 * 65_536 * (65_536 + 2 * 65_536) * 4 == 192 * 2**30
    assert two_lines(call(*BIGGEST)) == (
        (
            "a run on cpu needs 192.33 GiB besides torch itself (192.00 GiB of it weights);"
            " 16.00 GiB are available"
        ),
        "--no-run computes everything by formula; --device meta allocates nothing",
    )


@pytest.mark.parametrize("instead", [("--no-run",), ("--device", "meta", "--layers", "1")])
def test_what_the_refusal_hints_at_works(instead: tuple[str, ...]) -> None:
    assert call(*(BIGGEST[:-2] if "--layers" in instead else BIGGEST), *instead).code == 0


def test_a_run_is_refused_when_a_torch_that_cannot_be_imported_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    problem, hint = two_lines(call("lstm"))
    assert problem.startswith("torch cannot be imported: ")
    assert hint == "pip install torch, or --no-run for the formulas alone"


def test_no_command_at_all_shows_the_help() -> None:
    nothing, help_ = call(), call("--help")
    assert nothing == help_
    assert nothing.code == 0
    assert nothing.out.startswith("Usage: rnnshape [OPTIONS] COMMAND")


def test_the_longest_echo_of_what_was_given_is_short() -> None:
    problem, _ = two_lines(call("lstm", "--device", "x" * 1000, "--hidden", "y" * 1000))
    assert len(problem) < 1100
    problem, _ = two_lines(call("lstm", "--hidden", "y" * 1000))
    assert problem.endswith(f"not {'y' * 60}...")


def _vocabulary() -> list[str]:
    words = []
    group = application()
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        words.append(name)
        for option in command.params:
            words += option.opts + option.secondary_opts
    return sorted(set(words))


# `--output` would write what the words happen to name.
VOCABULARY = [word for word in _vocabulary() if word not in ("--output", "-o")]
VALUES = [
    *("0", "1", "-1", "3", "40", "8.0", "1e3", "nan", "inf", "", " ", "0.5", "1_000", "1" * 520),
    *("10,5,20", "5,20", "0,0,0", "(3x4x5)", "cpu", "cuda:1", "meta", "float64", "int8"),
    *("json", "markdown", "table", "all", "weights,header", "default", "always", "auto", "relu"),
    *("--hidden=4", "--hidden_size=5", "--bidir=1", "--unbatched", "--", "-", "--=", "=", "-f"),
    *("--layers=1000000", "--full", "--hidden=99999999999999999999999"),
]
# What an argument can be: anything without NUL, undecodable bytes as lone surrogates included.
_ANYTHING = st.text(
    st.characters(exclude_characters="\0") | st.characters(categories=["Cs"]), max_size=12
).filter(lambda word: not word.startswith("-o"))
_OPTIONS = st.sampled_from(VOCABULARY).flatmap(
    lambda name: st.builds(
        lambda value, joined: [f"{name}={value}"] if joined else [name, value],
        st.sampled_from(VALUES) | st.integers().map(str) | _ANYTHING,
        st.booleans(),
    )
)
# What is right by itself, though perhaps not beside the others.
_RIGHT = st.sampled_from(
    [
        *(["--bidir"], ["--no-bias"], ["--batch-first"], ["--unbatched"], ["--with-state"]),
        *(["--full"], ["--show", "all"], ["--show", "header,weights"], ["-f", "json"]),
        *(["-f", "markdown"], ["--color", "always"], ["--dtype", "half"], ["--device", "meta"]),
        *(["--dropout", ".5"], ["--proj", "3"], ["--layers", "3"], ["--hidden_size", "07"]),
        *(["--input-shape", "4,3,2"], ["--seq", "4"], ["--batch", "0"], ["--input", "+2"]),
    ]
)
_ONE = (
    st.sampled_from(VOCABULARY + VALUES).map(lambda word: [word])
    | _OPTIONS
    | _ANYTHING.map(lambda word: [word])
)
_WORDS = (
    st.tuples(st.lists(_RIGHT, max_size=6), st.lists(_ONE, max_size=2))
    .flatmap(lambda lists: st.permutations([*lists[0], *lists[1]]))
    .map(lambda lists: [word for words in lists for word in words])
)


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    command=st.sampled_from(["lstm", "gru", "rnn", "LSTM"]),
    words=_WORDS,
)
@example(command="lstm", words=["--hidden", "\ud800"])
@example(command="lstm", words=["--show", "\x85"])
@example(command="--help", words=[])
@example(command="\udcff", words=[])
@example(command="--show", words=["{", "%s", "[bold]"])
def test_whatever_the_words_are_they_are_answered_or_refused(
    command: str, words: list[str]
) -> None:
    result = call(command, *words, "--no-run")
    assert result.code in (0, 2)
    if result.code == 2:
        two_lines(replace(result, err=ESCAPE.sub("", result.err)))  # --color may be among them
    else:
        assert result.err == ""
        assert result.out


def test_the_words_of_the_fuzz_are_the_options_that_there_are() -> None:
    assert {"lstm", "gru", "rnn", "--hidden", "--no-run", "-f", "--bias"} <= set(VOCABULARY)
    assert set("".join(VOCABULARY)) <= set(string.ascii_lowercase + "-")


def test_the_most_weights_are_the_same_for_naming_and_for_building() -> None:
    assert call("lstm", "--layers", "25000", "--show", "header", "--no-run").code == 0
    assert MOST_WEIGHTS == 4 * 25_000
