"""What people type who come from elsewhere, and what the hint does when it is pasted."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest

from rnnshape import synonyms
from rnnshape.analysis.comparison import ORDERS
from rnnshape.cli.commands import Commands
from rnnshape.document.sections import SECTIONS
from rnnshape.fields import FIELDS
from rnnshape.layer.settings import DType, Settings
from rnnshape.render import Format
from tests.program import call, shell
from tests.test_errors import two_lines


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# The hint is a command line; pasted, it describes this layer, or these.
LAYERS: Final = {
    # flags with values
    "lstm --bias=False": "nn.LSTM(20, 40, bias=False)",
    "lstm --use-bias False": "nn.LSTM(20, 40, bias=False)",
    "lstm --nobias": "nn.LSTM(20, 40, bias=False)",
    "lstm --no-bias=true": "nn.LSTM(20, 40, bias=False)",
    "lstm --bidirectional true": "nn.LSTM(20, 40, bidirectional=True)",
    "lstm --bidirectional=1": "nn.LSTM(20, 40, bidirectional=True)",
    "lstm --batch_first True --hidden 7": "nn.LSTM(20, 7, batch_first=True)",
    "lstm --directions 2": "nn.LSTM(20, 40, bidirectional=True)",
    "lstm --bi --units 8": "nn.LSTM(20, 8, bidirectional=True)",
    "lstm --hidden_size 100 --batch_first=True --bidirectional=False": (
        "nn.LSTM(20, 100, batch_first=True)"
    ),
    # numbers without names, names without dashes, dashes of a word processor
    "lstm 100 256": "nn.LSTM(100, 256)",
    "lstm '(100, 256)'": "nn.LSTM(100, 256)",
    "lstm -i 100 -h 256": "nn.LSTM(100, 256)",
    "bidir gru": "nn.GRU(20, 40, bidirectional=True)",
    "inspect 'lstm 100 256'": "nn.LSTM(100, 256)",
    "compare 'lstm gru'": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "lstm 20 40 2": "nn.LSTM(20, 40, num_layers=2)",
    "gru 128 --layers 2": "nn.GRU(20, 128, num_layers=2)",
    "lstm 100 --hidden 256": "nn.LSTM(100, 256)",
    "100 256": "nn.LSTM(100, 256)",
    "lstm hidden=64 num_layers=2": "nn.LSTM(20, 64, num_layers=2)",
    "lstm hidden 64": "nn.LSTM(20, 64)",
    "lstm 20 64 bidirectional": "nn.LSTM(20, 64, bidirectional=True)",
    "lstm \u2013hidden 64": "nn.LSTM(20, 64)",
    "lstm -layers 4": "nn.LSTM(20, 40, num_layers=4)",
    "lstm -l 4": "nn.LSTM(20, 40, num_layers=4)",
    # other names
    "lstm --units 64 --depth 4": "nn.LSTM(20, 64, num_layers=4)",
    "lstm --n-layers 3": "nn.LSTM(20, 40, num_layers=3)",
    "lstm --numLayers 3": "nn.LSTM(20, 40, num_layers=3)",
    "lstm --embedding-dim 300": "nn.LSTM(300, 40)",
    "lstm --in_features 300": "nn.LSTM(300, 40)",
    "lstm --cell-size 64": "nn.LSTM(20, 64)",
    "lstm --dropout-rate 0.5 --layers 2": "nn.LSTM(20, 40, num_layers=2, dropout=0.5)",
    "gru --projection 10": "nn.LSTM(20, 40, proj_size=10)",
    "lstm --relu": "nn.RNN(20, 40, nonlinearity='relu')",
    "lstm --activation relu": "nn.RNN(20, 40, nonlinearity='relu')",
    # misspelt
    "lstm --hiden 64": "nn.LSTM(20, 64)",
    "lstm --lyers 4": "nn.LSTM(20, 40, num_layers=4)",
    "lstm --biderectional": "nn.LSTM(20, 40, bidirectional=True)",
    "lstn --hidden 64": "nn.LSTM(20, 64)",
    # commands
    "--hidden 64": "nn.LSTM(20, 64)",
    "--hidden 64 gru": "nn.GRU(20, 64)",
    "--type gru --hidden 64": "nn.GRU(20, 64)",
    "--gru --hidden 64": "nn.GRU(20, 64)",
    "lstm --rnn-type gru --hidden 64": "nn.GRU(20, 64)",
    "bilstm --hidden 64": "nn.LSTM(20, 64, bidirectional=True)",
    "lstmcell --hidden 64": "nn.LSTMCell(20, 64)",
    "elman --hidden 64": "nn.RNN(20, 64)",
    "show gru --hidden 64": "nn.GRU(20, 64)",
    "verify gru": "nn.GRU(20, 40)",
    "check gru --hidden 64": "nn.GRU(20, 64)",
    "lstm 'nn.LSTM(100, 256)'": "nn.LSTM(100, 256)",
    "lstm 'gru --hidden 64'": "nn.GRU(20, 64)",
    # comparisons
    "lstm gru": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "lstm,gru --hidden 8": ("nn.LSTM(20, 8)", "nn.GRU(20, 8)"),
    "lstm vs gru": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "diff lstm gru": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "compare lstm,gru": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "compare lstm bilstm": ("nn.LSTM(20, 40)", "nn.LSTM(20, 40, bidirectional=True)"),
    "compare lstm gru --cell": ("nn.LSTMCell(20, 40)", "nn.GRUCell(20, 40)"),
    "compare lstm gru hidden=8": ("nn.LSTM(20, 8)", "nn.GRU(20, 8)"),
    "compare gru --hidden 8 16": ("nn.GRU(20, 8)", "nn.GRU(20, 16)"),
    "gru --hidden 8 16 --layers 2": (
        "nn.GRU(20, 8, num_layers=2)",
        "nn.GRU(20, 16, num_layers=2)",
    ),
    "gru --hidden 8,16 --layers 2 --show all": (
        "nn.GRU(20, 8, num_layers=2)",
        "nn.GRU(20, 16, num_layers=2)",
    ),
    "gru --hidden 8-9 --no-bias": ("nn.GRU(20, 8, bias=False)", "nn.GRU(20, 9, bias=False)"),
    "gru --hidden 9..8": ("nn.GRU(20, 8)", "nn.GRU(20, 9)"),
    "gru --layers 0-2": ("nn.GRU(20, 40)", "nn.GRU(20, 40, num_layers=2)"),
    # sums
    "lstm+gru": "nn.LSTM(20, 40) + nn.GRU(20, 40)",
    "lstm + gru": "nn.LSTM(20, 40) + nn.GRU(20, 40)",
    "'lstm + gru'": "nn.LSTM(20, 40) + nn.GRU(20, 40)",
    "compare lstm + gru": "nn.LSTM(20, 40) + nn.GRU(20, 40)",
    "compare lstm + 'nn.Linear(40, 7)'": "nn.LSTM(20, 40) + nn.Linear(40, 7)",
    "'lstm+nn.Linear(40, 7)'": "nn.LSTM(20, 40) + nn.Linear(40, 7)",
    "lstm --hidden 4 + gru": "nn.LSTM(20, 4) + nn.GRU(20, 40)",
    "lstm+gru --hidden 8": "nn.LSTM(20, 8) + nn.GRU(20, 8)",
    "inspect bilstm+gru": "nn.LSTM(20, 40, bidirectional=True) + nn.GRU(20, 40)",
    # targets in one word
    "'gru 64 --layrs 2'": "nn.GRU(20, 64, num_layers=2)",
    "'gru --batch_first=True --hidde2-size 2'": "nn.GRU(20, 2, batch_first=True)",
    "lstm 'gru --hiden 64'": "nn.GRU(20, 64)",
    # options of each layer
    "compare lstm --hidden 64 gru --hidden 128": ("nn.LSTM(20, 64)", "nn.GRU(20, 128)"),
    "compare lstm --layers 2 gru --layers 4": (
        "nn.LSTM(20, 40, num_layers=2)",
        "nn.GRU(20, 40, num_layers=4)",
    ),
    "inspect lstm --layers 2 gru --layers 3": (
        "nn.LSTM(20, 40, num_layers=2)",
        "nn.GRU(20, 40, num_layers=3)",
    ),
    "compare lstm 64 gru 64": ("nn.LSTM(20, 64)", "nn.GRU(20, 64)"),
    "compare lstm 64 gru 10 128 --batch 3": ("nn.LSTM(20, 64)", "nn.GRU(10, 128)"),
    "compare lstm --units 64 bigru --units 128": (
        "nn.LSTM(20, 64)",
        "nn.GRU(20, 128, bidirectional=True)",
    ),
    "compare lstm gru 64 128": ("nn.LSTM(64, 128)", "nn.GRU(64, 128)"),
    # options that another kind of layer has
    "gru --proj 10 --hidden 64 --bidir --batch 3 --batch-first": (
        "nn.LSTM(20, 64, batch_first=True, bidirectional=True, proj_size=10)"
    ),
    "gru --hidden 64 --show shapes,cost --proj 8": "nn.LSTM(20, 64, proj_size=8)",
    "lstm --nonlinearity relu --hidden 64 --layers 2 --seq 7": (
        "nn.RNN(20, 64, num_layers=2, nonlinearity='relu')"
    ),
    # lists
    "lstm --cell --hidden 8,16": ("nn.LSTMCell(20, 8)", "nn.LSTMCell(20, 16)"),
    "lstm --hidden 100 200 --show cost": ("nn.LSTM(20, 100)", "nn.LSTM(20, 200)"),
    # the user's own numbers
    "lstm --hidden64": "nn.LSTM(20, 64)",
    "lstm --hidden:64 --layers2": "nn.LSTM(20, 64, num_layers=2)",
    "lstm --hidden = 64": "nn.LSTM(20, 64)",
    "lstm hidden = 64": "nn.LSTM(20, 64)",
    "lstm 20, 60, 2": "nn.LSTM(20, 60, num_layers=2)",
    "lstm input_size=10, hidden_size=20, num_layers=2": "nn.LSTM(10, 20, num_layers=2)",
    "lstm 'input_size=10, hidden_size=20'": "nn.LSTM(10, 20)",
    # more words than needed
    "rnnshape lstm --hidden 64": "nn.LSTM(20, 64)",
    "python -m rnnshape gru --hidden 64": "nn.GRU(20, 64)",
    "'$' rnnshape compare lstm --hidden 8": "nn.LSTM(20, 8)",
    # misspelt commands, and layers to compare
    "inspec 'lstm --hidden 8'": "nn.LSTM(20, 8)",
    "copmare lstm gru": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "lstm --vs gru": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "'lstm gru'": ("nn.LSTM(20, 40)", "nn.GRU(20, 40)"),
    "lstm hidden:64": "nn.LSTM(20, 64)",
    "lstm -b32 --layers2": "nn.LSTM(20, 40, num_layers=2)",
    # targets
    "inspect lstm 64": "nn.LSTM(20, 64)",
    "inspect lstm --hidden 64": "nn.LSTM(20, 64)",
    "inspect 'nn.LSTM(20, 40)' --bidir": "nn.LSTM(20, 40, bidirectional=True)",
    "inspect 'nn.LSTM(20, 40)' --hidden 7": "nn.LSTM(20, 7)",
    "inspect blstm": "nn.LSTM(20, 40, bidirectional=True)",
    "inspect nn.LSTM": "nn.LSTM(20, 40)",
    # A target in quotes stays whole, whatever else is wrong.
    "compare rnn --LIMIT 2 'rnn --cell'": ("nn.RNN(20, 40)", "nn.RNNCell(20, 40)"),
    "compare --hiddenlayers 2 lstm 'gru --bidir'": (
        "nn.LSTM(20, 40, num_layers=2)",
        "nn.GRU(20, 40, num_layers=2, bidirectional=True)",
    ),
    "c-ompare gru 'rnn --cell'": ("nn.GRU(20, 40)", "nn.RNNCell(20, 40)"),
    "compare '3 x nn.RNN(3, 4)' rnn --hiden 7": ("nn.RNN(3, 4)", "nn.RNN(20, 7)"),
}


@pytest.mark.parametrize("typed", LAYERS)
def test_a_pasted_hint_describes_the_layer_that_was_meant(typed: str) -> None:
    expected = LAYERS[typed]
    words = _command(two_lines(call(*shlex.split(typed)))[1])
    document = _json(words)
    rows = document.get("modules") or [row for g in document["groups"] for row in g["rows"]]
    found = tuple(row["constructor"] for row in rows)
    assert found == ((expected,) if isinstance(expected, str) else expected)


def _command(hint: str) -> list[str]:
    """The words of a hint that is a command line."""
    assert hint.startswith("rnnshape ")
    return shlex.split(hint)[1:]


def _json(words: list[str]) -> Any:
    result = call(*words, "--no-run", "-f", "json")
    assert (result.code, result.err) == (0, ""), words
    return json.loads(result.out)


# The hint is a command line of other kinds of options.
COMMANDS: Final = {
    "-V": "rnnshape --version",
    "-v": "rnnshape --version",
    "version": "rnnshape --version",
    "lstm --version": "rnnshape --version",
    "help": "rnnshape --help",
    "help lstm": "rnnshape lstm --help",
    "list": "rnnshape --help",
    "nothing": "rnnshape --help says what each is for",
    "params gru --hidden 8": "rnnshape gru --hidden 8 --show weights",
    "flops": "rnnshape lstm --show cost",
    "benchmark gru": "rnnshape gru --time",
    "lstm --input-shape 10 5 20": "rnnshape lstm --input-shape 10,5,20",
    "lstm --input 10 5 20": "rnnshape lstm --input-shape 10,5,20",
    "lstm --lengths 7 3 2": "rnnshape lstm --lengths 7,3,2",
    "lstm --length 7,3": "rnnshape lstm --lengths 7,3",
    "lstm --lenghts 7,3": "rnnshape lstm --lengths 7,3",
    "lstm --packed": "rnnshape lstm --lengths 7,3,2",
    "lstm --bs 32 --timesteps 50": "rnnshape lstm --batch 32 --seq 50",
    "lstm --sequence-length 50": "rnnshape lstm --seq 50",
    "lstm --max_len 50": "rnnshape lstm --seq 50",
    "lstm --json": "rnnshape lstm -f json",
    "lstm --latex": "rnnshape lstm -f latex",
    "lstm --md": "rnnshape lstm -f markdown",
    "lstm --csv out.csv": "rnnshape lstm -o out.csv",
    "lstm --output json": "-f json",
    "lstm --save out.md": "rnnshape lstm --output out.md",
    "lstm --flops": "rnnshape lstm --show cost",
    "lstm --memory": "rnnshape lstm --show cost",
    "lstm --params": "rnnshape lstm --show weights",
    "lstm --grid": "rnnshape lstm --show grid",
    "lstm --verbose": "rnnshape lstm --show all",
    "lstm --hidden '[64]'": "--hidden 64",
    "lstm --hidden '<64>'": "--hidden 64",
    "lstm --hidden =64": "--hidden 64",
    "lstm --hidden '2**8'": "as in --hidden 40",
    "lstm --dropout 50% --layers 2": "--dropout 0.5",
    "lstm --dropout 0,5 --layers 2": "--dropout 0.5",
    "lstm --dropout 30": "--dropout 0.3",
    "budget lstm --params '<= 5M'": "--params 5M",
    "lstm help": "rnnshape lstm --help",
    "budjet lstm --params 1M": "rnnshape budget lstm --params 1M",
    "budget lstm params=5M": "rnnshape budget lstm --params 5M",
    "inspect rnnshape.toml": "rnnshape check rnnshape.toml",
    "lstm -f latex --caption ''": "leave --caption out",
    "lstm -f latex --caption x --label ''": "leave --label out",
    "budget bilstm --params 5M": "lstm --bidir in its place",
    "budget lstm --params 5MM": "as in --params 1.5M",
    "budget lstm --params 1M,2M": "as in --params 1.5M",
    "inspect \"nn.LSTM('100', 256)\"": "input_size=100",
    "inspect 'nn.LSTM(100)'": "nn.LSTM(input_size=100, hidden_size=40)",
    "inspect 'nn.LSTM(100 256)'": "nn.LSTM(100, 256)",
    "inspect 'nn.LSTM(100; 256)'": "nn.LSTM(100, 256)",
    "inspect 'nn.LSTM(9, 8, bidirectional: True)'": "nn.LSTM(9, 8, bidirectional=True)",
    "inspect 'nn.LSTM(9, 8, batch-first=True)'": "nn.LSTM(9, 8, batch_first=True)",
    "inspect 'nn.LSTM(9, 8, layers=2, bidir=True)'": (
        "nn.LSTM(9, 8, num_layers=2, bidirectional=True)"
    ),
    "inspect 'nn.LTSM(9, 8)'": "nn.LSTM(9, 8)",
    "inspect 'nn.BiLSTM(9, 8)'": "nn.LSTM(9, 8, bidirectional=True)",
    "lstm shape": "rnnshape lstm --show shapes",
    "lstm cost gates": "rnnshape lstm --show cost,gates",
    "lstm json": "rnnshape lstm -f json",
    "lstm --plot p.svg --layers 1..4": "rnnshape compare lstm --plot p.svg --layers 1..4",
    "lstm --plot p.svg --units 8,16": "rnnshape compare lstm --plot p.svg --hidden 8,16",
    "lstm --plot p.svg --hidden 16": (
        "rnnshape compare lstm --plot p.svg --hidden 16 --layers 1,2,4"
    ),
    "lstm --weights --cost": "rnnshape lstm --show weights,cost",
    "gru --proj 10 -f json --batch 3": "rnnshape lstm --proj 10 --batch 3 --format json",
    "rnn --proj 10 --hidden 5": "leave --proj out",
    "lstm --hidden 8,16 --lengths 3,4": (
        "rnnshape compare takes --hidden 8,16, but has no --lengths"
    ),
    "compare 'gru --hidden 8,16' --batch 3": (
        "rnnshape compare takes such sizes, outside its targets: --hidden 8,16"
    ),
    "lstm --quiet": "rnnshape lstm --show header,shapes,verification",
    "lstm --benchmark": "rnnshape lstm --time",
    "lstm --dry-run": "rnnshape lstm --no-run",
    "lstm --no-torch": "rnnshape lstm --no-run",
    "lstm --gpu --no-run": "rnnshape lstm --device cuda --no-run",
    "lstm --gpu 1 --no-run": "rnnshape lstm --device cuda:1 --no-run",
    "lstm --input-sie 84": "rnnshape lstm --input 84",
    "lstm --lay 3 --hid 7": "rnnshape lstm --layers 3 --hidden 7",
    "lstm --unb": "rnnshape lstm --unbatched",
    "lstm --no-run --dtype float 16": "rnnshape lstm --no-run --dtype float16",
    "budget gru --params 1 M": "rnnshape budget gru --params 1M",
    "compare 'lstm + gru' --hiden 8,16": 'rnnshape compare "lstm + gru" --hidden 8,16',
    "compare 6 x lstm --hiden 8": 'rnnshape compare "6 x lstm --hidden 8"',
    "lstm --device cuda:1 --hiden 3 --no-run": "rnnshape lstm --device cuda:1 --hidden 3 --no-run",
    "inspect lstm --EXPECT 'h_n = 1,5,40'": 'rnnshape inspect lstm --expect "h_n = 1,5,40"',
    "lstm --mps --no-run": "rnnshape lstm --device mps --no-run",
    "lstm --half --no-run": "rnnshape lstm --dtype float16 --no-run",
    "lstm --bf16 --no-run": "rnnshape lstm --dtype bfloat16 --no-run",
    "lstm --precision fp16 --no-run": "rnnshape lstm --dtype fp16 --no-run",
    "lstm --no-color": "rnnshape lstm --color never",
    "lstm --assert 'params = 9920'": 'rnnshape lstm --expect "params = 9920"',
    "lstm --params 100k": "rnnshape budget lstm --params 100k",
    "gru --hidden 9 --params 100k --bidir": "rnnshape budget gru --params 100k --bidir",
    "lstm --plot out.svg": "rnnshape compare lstm --plot out.svg --hidden 32,64,128",
    "lstm --plot": "rnnshape compare --help",
    "lstm --sort macs": "rnnshape compare lstm --sort macs",
    "compare --hidden 8,16": "rnnshape compare lstm gru rnn --hidden 8,16",
    "compare lstm --gpu": "rnnshape compare lstm --device cuda",
    "compare lstm --hidden 32-64": "--hidden 32..64",
    "compare lstm --hidden 32:64:8": "--hidden 32..64..8",
    "compare lstm --hidden 1,024": "--hidden 1024",
    "lstm --hidden 40.0": "--hidden 40",
    "lstm --hidden 1e3": "--hidden 1000",
    "lstm --hidden 1,000": "--hidden 1000",
    "budget lstm 5M": "rnnshape budget lstm --params 5M",
    "budget --params 5M --bidir": "rnnshape budget lstm --params 5M --bidir",
    "budget lstm --memory 5MB": "rnnshape budget lstm --bytes 5MB",
    "budget lstm --parameters 5M --units": "rnnshape budget lstm --params 5M",
    "budget lstm 5M --hiden 40": "rnnshape budget lstm --params 5M",
    "budget lstm 5M --macs 9M": "rnnshape budget lstm --params 5M",
    "lstm --params 5M --macs 9M": "rnnshape budget lstm --params 5M",
    "budget lstm 5M --solve proj --units 30 --proj 4": (
        "rnnshape budget lstm --params 5M --solve proj --hidden 30"
    ),
    "budget lstm --params 5M --act relu -fjson": (
        "rnnshape budget rnn --params 5M --nonlinearity relu -f json"
    ),
    "rnn= --expect 'params > 3'": "rnnshape --help says what each is for",
    "compare lstm 2xgru": 'rnnshape compare lstm "2 x gru"',
    "2 x lstm": 'rnnshape compare "2 x lstm"',
    "lstm --hiden 4 -oout.md": "rnnshape lstm --hidden 4 -o out.md",
    "check --junit out.xml": "rnnshape check -o out.xml",
    "check --json": "rnnshape check -f json",
    "check lstm": "rnnshape inspect lstm",
    "lstm --matches 'nn.LSTM(20, 40)'": 'rnnshape inspect lstm --matches "nn.LSTM(20, 40)"',
    "gru --bidir --matches='gru --bidir' --no-run": (
        'rnnshape inspect "gru --bidir" --matches "gru --bidir" --no-run'
    ),
    "check lstm --expect 'params > 3'": 'rnnshape lstm --expect "params > 3"',
    "rnnshape.toml": "rnnshape check rnnshape.toml",
    "inspect 'lstm --units 64 --depth 2'": 'rnnshape inspect "lstm --hidden 64 --layers 2"',
    "budget gru --match 'lstm 64'": "in the target: lstm --hidden 64",
    "compare lstm --hidden 32..64:8": "--hidden 32..64..8",
    "budget lstm --params 5m": "--params 5M",
    "lstm --proj-size 0": "leave --proj out",
    "inspect 'LSTM(20, 40'": "LSTM(20, 40)",
    "lstm --expect 'params <= 10k' 'macs > 3'": (
        'rnnshape lstm --expect "params <= 10k" --expect "macs > 3"'
    ),
    "check --config x.toml": "rnnshape check x.toml",
    "inspect 'nn.LSTM(20, 40, bidirectional=true)'": "nn.LSTM(20, 40, bidirectional=True)",
    "inspect 'nn.LSTM(20, 40, layers=2)'": "nn.LSTM(20, 40, num_layers=2)",
    "inspect 'nn.lstm(20, 40)'": "nn.LSTM(20, 40)",
    "lstm --device gpu": "--device cuda",
    "lstm --dtype int8": "one of float16, bfloat16",
    "lstm --expect 'memory < 1MB'": '--expect "parameter_bytes < 1MB"; it has',
    "explain 'nn.LSTM: input must have 3 dimensions, got 2' --FORMAT json": "rnnshape explain ",
}
# Refused for what the folder or the request lacks, however it is written.
NEED_A_MANIFEST: Final = {
    *("check --junit out.xml", "check --json", "rnnshape.toml", "check --config x.toml"),
    "inspect rnnshape.toml",
}
CONTRADICT: Final = {
    "lstm --hidden 8,16 --lengths 3,4",
    "compare 'gru --hidden 8,16' --batch 3",
}


@pytest.mark.parametrize("typed", COMMANDS)
def test_a_hint_says_what_was_meant_and_can_be_pasted(typed: str) -> None:
    hint = two_lines(call(*shlex.split(typed)))[1]
    assert hint.startswith(COMMANDS[typed])
    if hint.startswith("rnnshape ") and typed not in NEED_A_MANIFEST | CONTRADICT:
        assert call(*_command(hint)).code == 0


def test_a_hint_is_pasted_into_a_shell() -> None:
    for typed in ("lstm 100 256 --no-run", "inspect blstm --no-run", "compare lstm bilstm"):
        hint = two_lines(call(*shlex.split(typed)))[1]
        assert shell(hint) == call(*_command(hint))


# The hint leaves an option out, and says why.
LEFT_OUT: Final = {
    "lstm --batch_first=False": "leave --batch_first=False out: False is the default",
    "lstm --bidirectional False": "leave --bidirectional False out: False is the default",
    "lstm --no-batch-first": "leave --no-batch-first out: that is the default",
    "lstm --directions 1": "leave --directions 1 out: one direction is the default",
    "lstm --seed 3": "leave --seed 3 out: nothing that is printed depends on it",
    "lstm --vocab 5000": "leave --vocab 5000 out: a layer reads embeddings, and --input is",
    "lstm --return-sequences": "leave --return-sequences out: output always has every step",
}


@pytest.mark.parametrize("typed", LEFT_OUT)
def test_what_means_nothing_here_is_left_out(typed: str) -> None:
    hint = two_lines(call(*shlex.split(typed)))[1]
    assert hint.startswith(LEFT_OUT[typed])
    (left_out,) = re.findall(r"leave (.*) out: ", hint)
    words = shlex.split(typed.replace(left_out, ""))
    assert _json(words)["modules"][0]["constructor"] == "nn.LSTM(20, 40)"


# Taken as what they say: the same as the words after them.
ACCEPTED: Final = {
    "'nn.LSTM(100, 256)'": "inspect 'nn.LSTM(100, 256)'",
    "'LSTM(20,40)' --batch 3": "inspect 'LSTM(20,40)' --batch 3",
    "'rnn = nn.GRU(10, 20, 2)'": "inspect 'rnn = nn.GRU(10, 20, 2)'",
    "'gru --hidden 8'": "inspect 'gru --hidden 8'",
    "nn.GRU --hidden 8": "gru --hidden 8",
    "lstm --hidden_size 8": "lstm --hidden 8",
    **{
        f"lstm --show {name}": f"lstm --show {section}"
        for names, section in {
            "params parameters bias Weights": "weights",
            "memory macs flops FLOPs": "cost",
            "h_n output c_n": "states",
            "batch_first": "layouts",
            "equations": "gates",
            "keras onnx": "frameworks",
            "picture": "diagram",
        }.items()
        for name in names.split()
    },
    "lstm --show h_n,cost": "lstm --show states,cost",
    "lstm --show 'header weights'": "lstm --show header,weights",
    "lstm --show header+cost": "lstm --show header,cost",
    "lstm --show snippet": "lstm --show code",
    "lstm -f md": "lstm -f markdown",
    "lstm -f xml": "lstm -f junit",
    "lstm -f tex": "lstm -f latex",
    "lstm -f txt": "lstm -f table",
    "lstm -f text": "lstm -f table",
    "lstm -f JSON": "lstm -f json",
    "lstm --dtype fp16": "lstm --dtype float16",
    "lstm --dtype bf16": "lstm --dtype bfloat16",
    "lstm --dtype fp32": "lstm --dtype float32",
    "lstm --dtype half": "lstm --dtype float16",
    "lstm --dtype double": "lstm --dtype float64",
    "lstm --dtype torch.float16": "lstm --dtype float16",
    "lstm --dtype np.FLOAT32": "lstm --dtype float32",
    "lstm --color no": "lstm --color never",
    "compare lstm gru --sort params": "compare lstm gru --sort parameters",
    "budget lstm --params 1M --solve hidden_size": "budget lstm --params 1M --solve hidden",
}


@pytest.mark.parametrize("typed", ACCEPTED)
def test_what_can_mean_only_one_thing_is_taken_as_that(typed: str) -> None:
    same = call(*shlex.split(ACCEPTED[typed]), "--no-run")
    given = call(*shlex.split(typed), "--no-run")
    assert (given.code, given.err) == (0, "")
    if "budget" in typed:  # it repeats the request as it was given
        assert given.out.replace("hidden_size", "hidden") == same.out.replace(
            "hidden_size", "hidden"
        )
        return
    assert given == same


# No guess is made: the hint tells only how to see what there is.
SILENT: Final = (
    *("lstm --lr 0.1", "lstm --momentum 0.9", "lstm --epochs 3", "lstm --heads 8"),
    *("lstm --bits 16", "lstm --debug", "lstm --loss mse", "lstm --name encoder", "lstm -n 4"),
    *("lstm --bidir 2", "lstm --batch-first 5", "lstm --time 50", "gru 10 20 --hidden 30"),
    *("lstm --hide compare", "lstm --in 3 --out 4", "check --list", "compare lstm gru --kind rnn"),
    *(
        "gru --relu --proj 3",
        "lstm --weights model.pt",
        "lstm --units forty",
        "gru --attention",
        "rnn --kernel 3",
    ),
)


@pytest.mark.parametrize("typed", SILENT)
def test_a_word_that_means_nothing_here_gets_no_guess(typed: str) -> None:
    name = typed.split(maxsplit=1)[0]
    assert two_lines(call(*shlex.split(typed)))[1] == f"rnnshape {name} --help lists the options"


@pytest.mark.parametrize("typed", ["transformer", "conv2d", "mamba"])
def test_a_command_that_means_nothing_here_gets_no_guess(typed: str) -> None:
    assert two_lines(call(typed))[1] == "rnnshape --help says what each is for"


def test_a_value_that_means_nothing_here_gets_no_guess() -> None:
    for typed in ("lstm -f yaml", "lstm --show nothing", "compare lstm --sort time"):
        assert two_lines(call(*shlex.split(typed)))[1] == "give one of those words"


def test_no_hint_writes_a_file_that_was_not_asked_for() -> None:
    for typed in ("check", "check --init", "check --only", "check no.toml", "lstm --save"):
        hint = two_lines(call(*shlex.split(typed)))[1]
        if hint.startswith("rnnshape "):
            call(*_command(hint))
        assert [*Path().iterdir()] == [], typed


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (
            "check --expect 'output = 10,5,40'",
            'write expect = ["output = 10,5,40"] into the manifest',
        ),
        ("check a.toml --expect", 'write expect = ["params <= 150k"] into the manifest'),
        ("check --strict", "leave --strict out: whatever fails ends with exit code 1"),
        ("check --exit-code", "leave --exit-code out: whatever fails ends with exit code 1"),
        ("lstm -o plot.png", "-o plot.svg; compare --plot plot.png draws a chart"),
        ("lstm -o 'my plot.JPG'", "-o 'my plot.svg'; compare --plot 'my plot.png' draws a chart"),
    ],
)
def test_a_hint_says_where_else_that_is_done(typed: str, hint: str) -> None:
    assert two_lines(call(*shlex.split(typed)))[1] == hint


def test_a_file_that_is_not_there_is_told_with_those_that_are_alike() -> None:
    for name in ("model_1.pt", "notes.txt"):
        Path(name).touch()
    problem, hint = two_lines(call("inspect", "model1.pt"))
    assert problem == "there is no file model1.pt"
    assert hint == "there is model_1.pt"


EXAMPLES: Final = {"shape": "7,3,2", "lengths": "7,3,2", "probability": "0.5", "choice": "relu"}


@pytest.mark.parametrize("name", synonyms._OF_FIELDS)
def test_every_synonym_of_a_field_leads_to_its_option(name: str) -> None:
    field = FIELDS[synonyms._OF_FIELDS[name]]
    value = EXAMPLES.get(field.takes, "3" if field.takes in ("size", "count") else "")
    value = {"device": "meta", "dtype": "float64"}.get(field.name, value)
    words = [word for word in (f"--{name}", value) if word]
    found = synonyms.meant_field(name)
    assert found is not None
    assert found.field is field
    if field.name in ("cell", "run"):
        words += ["--hidden", "3"]
    kind = field.kind.lower() or "lstm"
    first = f"-{name}" if len(name) == 1 else f"--{name}"
    if first in ("-f", "-o", "-h"):
        return
    hint = two_lines(call(kind, first, *words[1:]))[1]
    assert field.option in _command(hint), hint
    unless_run = () if field.name == "run" else ("--no-run",)
    assert call(*_command(hint), *unless_run).code == 0


def test_the_synonyms_mean_what_there_is() -> None:
    options = {
        option
        for name in Commands().list_commands(None)
        for parameter in _built(name).params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {*synonyms._OF_FIELDS.values()} <= {*FIELDS}
    assert {name for name, _ in synonyms._PHRASES.values()} <= {*FIELDS}
    assert {*synonyms.SECTIONS.values()} - {"all"} <= {*SECTIONS}
    assert {*synonyms.FORMATS.values()} <= {each.value for each in Format}
    assert {*synonyms._COLUMNS.values()} <= {*ORDERS}
    assert {*synonyms._DTYPES.values()} <= {each.value for each in DType}
    assert {*synonyms.OPTIONS.values()} <= options
    assert {each.split()[0] for each in synonyms.SETTINGS.values()} <= {*options, "--help"}
    for device in synonyms._DEVICES.values():
        assert Settings(device=device).device == device
    for target in synonyms.LAYERS.values():
        assert call("inspect", target, "--no-run").code == 0, target
    commands = {*Commands().list_commands(None), "", "--help", "--version"}
    assert {*synonyms.COMMANDS.values()} <= commands


def _built(name: str) -> Any:
    return Commands().get_command(None, name)
