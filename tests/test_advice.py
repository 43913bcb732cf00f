"""What a hint or a note says to do is done, as it is written, and helps.

`tests.advice` follows a hint word by word: an option takes the place of its like, a command is
run, an argument or a key replaces the one that is blamed. Where a hint is prose, such as "give a
smaller number", the case says which words tell it, and what a person types who has read them.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
import torch
from torch import nn

import rnnshape
from rnnshape.errors import RequestError
from rnnshape.sources import values
from tests.advice import followed, followed_in_python, followed_in_toml
from tests.checkpoints import model_state, saved
from tests.program import Result, call
from tests.test_errors import REFUSED, two_lines
from tests.transcripts import ROOT

# Each is refused with a hint in prose: words of it, and what a person types who has read them.
PROSE: Final = {
    "inspect 'torch.nn:GRU(80, 4)' --show calls": (
        "name a model, net.py:Tagger, and add --forward 16,50,80",
        "inspect 'torch.nn:GRU(80, 4)' --forward 16,50,80 --show calls",
    ),
    "inspect 'torch.nn:GRU(80, 4)' --no-run --show load": (
        "--show evidence says how these are kept",
        "inspect 'torch.nn:GRU(80, 4)' --no-run --show evidence",
    ),
    "inspect lstm --forward 16,50": ("leave --forward out", "inspect lstm"),
    "inspect 'torch.nn:GRU(80, 4)' --forward 16,": (
        "--forward 16,50,80",
        "inspect 'torch.nn:GRU(80, 4)' --forward 16,50,80",
    ),
    "inspect 'torch.nn:GRU(80, 4)' --forward 16,50,80:float33": (
        "one of float32",
        "inspect 'torch.nn:GRU(80, 4)' --forward 16,50,80:float32",
    ),
    f"inspect 'torch.nn:GRU(80, 4)' --forward 16,50,{2**63}": (
        "--forward 16,50,80",
        "inspect 'torch.nn:GRU(80, 4)' --forward 16,50,80",
    ),
    "inspect 'lstm --hidden 3,4'": (
        "rnnshape compare takes such sizes, outside its targets: --hidden 3,4",
        "compare lstm --hidden 3,4",
    ),
    "lstm -o plot.png": ("-o plot.svg", "lstm -o plot.svg"),
    "lstm -f latex --caption ''": ("leave --caption out", "lstm -f latex"),
    "lstm --hidden 0b11": ("as in --hidden 40", "lstm --hidden 40"),
    "inspect 'lstm --hidden 3 --hidden 4'": (
        "in the target: give it once: --hidden 4",
        "inspect 'lstm --hidden 4'",
    ),
    "lstm --input-shape a": ("write the numbers out", "lstm --input-shape 1,2,3"),
    "lstm --input-shape a --seq 6 --batch 2": (
        "write the numbers out",
        "lstm --input-shape 6,2,3 --seq 6 --batch 2",
    ),
    "lstm --input-shape a --lengths 7,3": (
        "write the numbers out",
        "lstm --input-shape 7,2,3 --lengths 7,3",
    ),
    "lstm --cell --input-shape a": ("write the numbers out", "lstm --cell --input-shape 2,3"),
    f"lstm --hidden {'9' * 600}": ("give a smaller number", "lstm --hidden 9"),
    f"lstm --hidden {'9' * 501}": ("give a smaller number", "lstm --hidden 9"),
    f"inspect 'nn.LSTM(20, {'9' * 600})'": ("give a smaller number", "inspect 'nn.LSTM(20, 9)'"),
    "inspect 'nn.LSTM(20, 10**501)'": ("give a smaller number", "inspect 'nn.LSTM(20, 10)'"),
    "lstm --layers 25001 --full --no-run": (
        "unless --full is given",
        "lstm --layers 25001 --no-run",
    ),
    "inspect 'nn.LSTM(20, \udcff)'": ("nn.LSTM(20, 40,", "inspect 'nn.LSTM(20, 40)'"),
    "inspect 'nn.LSTM(20, 40).mend()'": ("leave .mend() out", "inspect 'nn.LSTM(20, 40)'"),
    "inspect 'nn.LSTM(20, 40, bias=True, bias=True)'": (
        "give bias once",
        "inspect 'nn.LSTM(20, 40, bias=True)'",
    ),
    "inspect 'nn.LSTM(*sizes)'": (
        "write each argument in place of * and **",
        "inspect 'nn.LSTM(20, 40)'",
    ),
    "inspect 'nn.LSTMCell(20, 40, True, None, None, 3)'": (
        "they are input_size, hidden_size, bias, device, dtype",
        "inspect 'nn.LSTMCell(20, 40, True)'",
    ),
    "inspect 'nn.LSTM(20, 40, layers=2)'": (
        "nn.LSTM(20, 40, num_layers=2)",
        "inspect 'nn.LSTM(20, 40, num_layers=2)'",
    ),
    "inspect 'nn.LSTM(20, 40, hidden=3)'": (
        "leave hidden out: hidden_size is given too",
        "inspect 'nn.LSTM(20, 40)'",
    ),
    "'--a; b' lstm": ("rnnshape --help shows how", "lstm"),
    "lstm --show shapes,": ("give one of those words", "lstm --show shapes"),
    "lstm -fyaml": ("give one of those words", "lstm -f json"),
    "lstm --color x": ("give one of those words", "lstm --color never"),
    "compare lstm --sort x": ("give one of those words", "compare lstm --sort macs"),
    "budget lstm --solve x --params 1M": ("give one of those words", "budget lstm --params 1M"),
    "inspect 'nn.GRU(2, 4, nonlinearity=3)'": (
        "nn.RNN has nonlinearity",
        "inspect 'nn.RNN(2, 4, nonlinearity=\"relu\")'",
    ),
    "inspect 'nn.LSTM(20, 40, hidden_size=3)'": (
        "give hidden_size once, by its name",
        "inspect 'nn.LSTM(20, hidden_size=3)'",
    ),
    "inspect 'nn.GRU(20, 40, 1, True, False, 0.0, False, 5)'": (
        "argument 8 of nn.GRU is proj_size",
        "inspect 'nn.GRU(20, 40)'",
    ),
    "inspect 'nn.LSTM(20, 40, 2, 0.5)'": (
        "argument 4 of nn.LSTM is bias; name what you mean",
        "inspect 'nn.LSTM(20, 40, 2, dropout=0.5)'",
    ),
    "inspect 'nn.LSTM(20, 1 // 0)'": ("write the number", "inspect 'nn.LSTM(20, 1)'"),
    "inspect 'nn.LSTM(n, 40)'": (
        "write values, as in nn.LSTM(20, 40)",
        "inspect 'nn.LSTM(20, 40)'",
    ),
    f"inspect 'nn.LSTM({'(' * 900}3{')' * 900}, 4)'": (
        "nn.LSTM(20, 40,",
        "inspect 'nn.LSTM(3, 4)'",
    ),
    f"inspect 'nn.LSTM(3, {'-' * 9000}4)'": (
        "give the constructor call alone: nn.LSTM(",
        "inspect 'nn.LSTM(3, 4)'",
    ),
    f"inspect 'nn.LSTM(3, {' ' * 11000}4)'": (
        "give the constructor call alone: nn.LSTM(",
        "inspect 'nn.LSTM(3, 4)'",
    ),
    'inspect "lstm --hidden \'4"': (
        'as in "lstm --hidden 40 --bidir"',
        "inspect 'lstm --hidden 4'",
    ),
    "inspect weights.pt": ("relative to this folder", "inspect ./model.pt"),
    "inspect 'nn.GRU(20, 40)' --show matches": (
        'add --matches "nn.LSTM(20, 40)"',
        "inspect 'nn.GRU(20, 40)' --show matches --matches 'nn.GRU(20, 40)'",
    ),
    "inspect nothing.xyz": ("weights.pt or", "inspect model.pt"),
    "inspect model.pt:enc": ("model.pt:encoder", "inspect model.pt:encoder"),
    "inspect broken.pt": ("from the whole layer's state_dict()", "inspect model.pt"),
    "inspect linear.pt": ("weights have names such as lstm.weight_ih_l0", "inspect model.pt"),
    "compare model.pt gru": ("one of model.pt:encoder,", "compare model.pt:encoder gru"),
    "inspect something": (
        '"nn.LSTM(20, 40, bidirectional=True)"',
        "inspect 'nn.LSTM(20, 40, bidirectional=True)'",
    ),
    "compare lstm --hidden 1..400 --layers 1..400": (
        "give shorter lists",
        "compare lstm --hidden 1..4 --layers 1..4",
    ),
    "compare 'nn.LSTM(20, 40, device=\"cpu\")'": (
        "--device and --dtype after the targets, not in them",
        "compare 'nn.LSTM(20, 40)' --device cpu",
    ),
    "compare lstm --plot a.svg -o a.svg": (
        "give each its own file",
        "compare lstm --hidden 8,16 --plot a.svg -o b.svg",
    ),
    "compare lstm --hidden 8,16 --plot a.xyz": (
        "one of .svg, .png",
        "compare lstm --hidden 8,16 --plot a.svg",
    ),
    f"compare lstm --plot a.svg --hidden 1,1{'0' * 400}": (
        "leave --plot out",
        f"compare lstm --hidden 1,1{'0' * 400}",
    ),
    "compare lstm --plot a.svg": (
        "a list of sizes, such as --hidden 32,64,128 or --layers 1..8",
        "compare lstm --hidden 32,64,128 --plot a.svg",
    ),
    "compare lstm --seq 5,10 --plot a.svg": (
        "--plot-of macs, or a list of sizes: --hidden 32,64,128",
        "compare lstm --seq 5,10 --plot a.svg --plot-of macs",
    ),
    "compare lstm --layers 1..11 --input 1..10 --hidden 1..9 --plot a.svg": (
        "shorter lists of sizes",
        "compare lstm --layers 1..11 --input 1..10 --hidden 1..8 --plot a.svg",
    ),
    "gru --label a": (
        "add -f latex and --caption, or leave --label out",
        "gru --caption a --label a -f latex",
    ),
    "gru --caption a": ("add -f latex, or leave --caption out", "gru --caption a -f latex"),
    "gru --label a -f latex": (
        "add --caption, or leave --label out",
        "gru --caption a --label a -f latex",
    ),
    "gru --caption a --label 'a b' -f latex": (
        "--label a-b",
        "gru --caption a --label a-b -f latex",
    ),
    "compare lstm --hidden 8,16 --plot-of macs": (
        "leave --plot-of out, or add --plot with a file",
        "compare lstm --hidden 8,16",
    ),
    "lstm -o a.md -o a.md": ("give each file once", "lstm -o a.md -o b.md"),
    "lstm -o a.xyz": ("one of .txt,", "lstm -o a.txt"),
    "lstm -o json": ("-f json", "lstm -f json"),
    f"inspect {ROOT}/examples/rnnshape.toml": (
        f"rnnshape check {ROOT}/examples/rnnshape.toml",
        f"check {ROOT}/examples/rnnshape.toml --no-run",
    ),
    "compare lstm '0 x rnn'": ('"6 x rnn"', "compare lstm '6 x rnn'"),
    "inspect '6 x lstm'": ('rnnshape compare "6 x lstm"', "compare '6 x lstm'"),
    "inspect 'lstm + nn.Linear(40, 7)'": (
        'rnnshape compare "lstm + nn.Linear(40, 7)"',
        "compare 'lstm + nn.Linear(40, 7)'",
    ),
    "compare 'nn.Linear(40, 7)'": (
        'add one: "nn.LSTM(20, 40) + nn.Linear(40, 7)"',
        "compare 'nn.LSTM(20, 40) + nn.Linear(40, 7)'",
    ),
    "compare lstm + Linear": (
        'write a sum as one argument, in quotes: "nn.LSTM(20, 40) + nn.Linear(40, 20)"',
        "compare 'lstm + nn.Linear(40, 7)'",
    ),
    "compare 'lstm + nn.Dropout(0.5)'": ("leave nn.Dropout out", "compare lstm"),
    "compare 'lstm + nn.Linear(40'": (
        "as in nn.Linear(40, 20)",
        "compare 'lstm + nn.Linear(40, 7)'",
    ),
    "compare 'lstm + nn.Linear(40)'": (
        "as in nn.Linear(40, 20)",
        "compare 'lstm + nn.Linear(40, 7)'",
    ),
    "compare 'lstm + nn.Linear(40, 7)(x)'": (
        "as in nn.Linear(40, 20)",
        "compare 'lstm + nn.Linear(40, 7)'",
    ),
    "compare 'nn.Embedding(vocab, 20) + lstm'": (
        "write values, as in nn.Embedding(1000, 20)",
        "compare 'nn.Embedding(5000, 20) + lstm'",
    ),
    "compare lstm --merge sum": ("add --bidir", "compare lstm --merge sum --bidir"),
    "compare 'lstm --merge ave'": ("give one of those words", "compare 'lstm --merge concat'"),
    "compare lstm --feeds": ("rnnshape compare lstm lstm --feeds", "compare lstm lstm --feeds"),
    "compare 'gru + nn.Linear(40, 7)' --hidden 8,16 --plot a.svg": (
        "leave --plot out, or compare the layers alone",
        "compare gru --hidden 8,16 --plot a.svg",
    ),
    "lstm --expect 'h_0 = encoder/h_n'": (
        "give a value",
        "lstm --expect 'h_0 = 1,5,40'",
    ),
    "budget lstm --layers 9 --match 'rnn --hidden 1'": (
        "--match a layer of 220 parameters or more",
        "budget lstm --match 'rnn --hidden 99'",
    ),
}

# Each is refused with a hint that is followed word by word.
REQUESTS: Final = [
    *(request for words, _ in REFUSED.values() if (request := shlex.join(words)) not in PROSE),
    # sizes
    "lstm --no-run --optimizer sgd",
    *("lstm --proj -1", "lstm --proj x --hidden 8", "lstm --proj 39.5", "lstm --proj 99.5"),
    *("lstm --hidden 5,10,15,20", "gru --layers 1,2", "rnn --seq 5,10", "lstm --batch 4,8"),
    *("lstm --proj 4,8", "lstm --proj 39,40", "lstm --hidden 0,8", "lstm --input 10,20"),
    *("lstm --input (10x20)", "lstm --hidden [3]", "lstm --hidden 3x4", "gru --nonlinearity 3x4"),
    *("lstm --hidden (5x10)", "lstm --layers 2x", "lstm --batch 0x10"),
    *("lstm --hidden 1k", "lstm --hidden 1e3", "lstm --hidden 1_000", "lstm --hidden 6 --proj 6"),
    *(
        "gru --hidden 512 --proj 256",
        "rnn --proj 99",
        f"rnn --proj 1{'0' * 500}",
        "lstm --cell --layers 2",
        "gru --cell --bidir",
        "lstm --cell --proj 3",
        "rnn --cell --batch-first",
    ),
    *("lstm --cell --dropout 0.5", "lstm --dropout 2"),
    # the input
    *("lstm --input-shape 5 --seq 70", "lstm --input-shape 5 --batch 3"),
    *("lstm --input-shape 5 --input 7", "lstm --input-shape 5,7 --batch 3 --seq 5"),
    "lstm --input-shape 5,7 --batch 3 --seq 6",
    *("lstm --input-shape 1,2,3,4 --unbatched", "lstm --input-shape 5 --unbatched"),
    *("lstm --input-shape 1,2,3 --unbatched", "lstm --input-shape 0,24 --batch 3"),
    *("lstm --input-shape 9 --lengths 7,3", "lstm --input-shape 9,20 --lengths 7,3"),
    "lstm --input-shape 7,3,20 --lengths 7,3",
    *("lstm --input-shape 3,7,20 --lengths 7,3 --batch-first", "lstm --unbatched --lengths 3,2"),
    *("lstm --lengths 4,2,3 --input-shape 3,5,3", "lstm --lengths 4,2,3 --input-shape 3,9,3"),
    "gru --input-shape 2,9,3 --lengths 7,3",
    "lstm --cell --input-shape 20 --batch 3",
    *("lstm --cell --input-shape 5,20 --unbatched", "lstm --cell --input-shape 5,0"),
    "lstm --cell --input-shape 1,2,3,4 --unbatched",
    *("lstm --lengths a", "lstm --lengths ''", "lstm --lengths '[7, 3]'", "lstm --lengths 7,"),
    *("lstm --lengths -3,2", "lstm --lengths 7;3"),
    # targets
    *(
        "inspect 'lstm --hidden x'",
        "inspect 'lstm --hidden 40 --proj 50'",
        "inspect 'lstm 3'",
        "inspect blstm",
    ),
    *("inspect 'lstm --layer 5'", "inspect 'lstm --seq 3'"),
    *("inspect 'lstm --inut-size 5'", "inspect 'lstm --batc 5'"),
    *("inspect 'lstm --hidden 1 --proj 1'", "inspect 'gru --proj 10'", "inspect 'lstm --hidden'"),
    *("inspect 'lstm --nonlinearity relu'", "inspect 'lstm --bidir=1'", "inspect 'gru --layers 0'"),
    *("inspect 'rnn --nonlinearity sigmoid'", "inspect 'lstm --cell --layers 2'"),
    *("inspect 'lstm --dropout 2'", "inspect 'lstm --cell' --seq 5", "inspect lstm --hidden 5"),
    *(
        "inspect 'lstm --hidden 40' --input-shape 2,10,20 --lengths 4,3",
        "inspect 'lstm --hidden 40 --batch-first' --input-shape 2,10,20 --seq 4",
        "inspect 'lstm --input 30' --input-shape 2,10,20",
        "inspect 'lstm --hidden 4' --batch x",
    ),
    *(
        "inspect 'nn.LSTM(30, 40)' --input-shape 10,5,20",
        "inspect 'nn.LSTM(30, 40, batch_first=True)' --input-shape 10,5,20",
        "inspect 'nn.LSTMCell(30, 40)' --input-shape 10,5,20",
        "inspect 'nn.LSTM(20, 40)' --input-shape 2,10,20 --lengths 4,3",
    ),
    *(
        "inspect 'nn.LSTM(20, 40, proj_size=40)'",
        "inspect 'nn.LSTM(20, 40.5)'",
        "inspect 'nn.LSTM(0, 40)'",
        "inspect 'nn.LSTM(20, 40, 0)'",
        "inspect 'nn.LSTM(20, 40, dropout=3)'",
        "inspect 'nn.LSTM(20, 40, bias=1)'",
        "inspect 'nn.LSTM(20, 40, batch_first=None)'",
        "inspect 'nn.LSTM(True, 40.0)'",
        "inspect 'nn.RNN(20, 40, nonlinearity=\"x\")'",
        "inspect 'nn.RNN(20, 40, 2, True)'",
        "inspect 'nn.RNNCell(20, 40, nonlinearity=\"x\")'",
        "inspect 'nn.LSTM(20)'",
        "inspect 'nn.LSTMCell(20, -1)'",
        "inspect 'nn.LSTM(20, 40, num_layers=2.5)'",
        "inspect 'nn.LSTM(20, 40, proj_size=1.5)'",
        "inspect 'nn.LSTM(20, 40, device=\"tpu\")'",
        "inspect 'nn.GRU(20, 40, proj_size=0)'",
        "inspect 'nn.LSTM(20, 40'",
        "inspect '(3)'",
        "inspect 'nn.Linear(20, 40)'",
        "inspect 'nn.LSTM(20, 40, device=x)'",
        "inspect 'nn.LSTM(20, 40, dtype=x)'",
    ),
    "inspect 'nn.LSTM(2, 3); nn.GRU(2, 3)'",
    "inspect 'x = nn.LSTM; (3)'",
    # compare
    *("compare lstm gru --limit 5,10", "compare lstm --limit 0", "compare lstm --limit 1.5"),
    *("compare lstm --hidden 32-64", "compare lstm --hidden 1,024", "lstm --hidden 32-64"),
    *("compare lstm --hidden '[32, 64]'", "compare lstm --hidden 'range(8, 64, 8)'"),
    *(
        "compare lstm --hidden 64..32",
        "compare lstm --hidden 32,x",
        "compare lstm --sort parametrs",
    ),
    *(
        "compare 'lstm --hidden x'",
        "compare 'lstm --proj 35' --hidden 1,2",
        "compare lstm --proj 50",
        "compare 'lstm --hidden 10' --proj 35",
        "compare",
        "compare gru --proj 3",
    ),
    *("compare 'lstm --hidden 10' --hidden 5", "compare gru --hidden 9..3..2"),
    "compare gru --hidden 9-3",
    *("compare 'gru --proj 5' --hidden 3", "compare 'nn.LSTMCell(20,40)' --layers 2"),
    *("compare 'lstm --cell' --layers 2", "compare gru --nonlinearity relu"),
    "compare 'nn.LSTM(30, 40)' 'nn.LSTM(20, 40)' --input-shape 10,5,20",
    *("compare 'lstm --hidden 4' gru --input-shape 0,5,20", "compare gru --lengths 3,2"),
    "lstm --dtype complex64 --to keras",
    # budget
    *("budget lstm --params 150.5", "budget lstm --params 136,960", "budget lstm --params 4MiB"),
    *("budget lstm --params 0.0935k", "budget lstm --bytes lots", "budget lstm --params 50"),
    *("budget lstm --macs 1e9", "budget lstm --params ''", f"budget gru --params {'9' * 390}.5"),
    *("budget lstm --solve hiden --params 1M", "budget gru --solve proj --params 1M"),
    *(
        "budget lstm --params 999.5B",
        "budget lstm --bytes 9e3",
        f"budget gru --params {'9' * 4001}",
    ),
    *("budget lstm --params 1M --hidden 4", "budget lstm --solve proj --params 1M --proj 4"),
    *("budget lstm --solve proj --params 1M --hidden 1", "budget lstm", "budget --params 1M"),
    *("budget lstm --params 1M --macs 1M", "budget lstn --params 1M", "budget lstm --macs 5"),
    *(
        "budget lstm --bytes 5",
        "budget rnn --match 'lstm --hidden x'",
        "budget gru --match 'lstm --proj 50'",
        "budget gru --macs 1M --input-shape 5,0,20",
        "budget gru --macs 1M --batch 0",
    ),
    *("budget gru --params 1M --proj 5", "budget lstm --params 1M --nonlinearity relu"),
    "budget lstm --cell --params 1M --layers 2",
    # expectations
    *("lstm --expect 'params <= 1.5'", "lstm --expect 'params => 9920'", "lstm --expect params"),
    *("lstm --expect 'params = 9,920'", "lstm --expect 'output = 9920'", "lstm --expect ''"),
    *("lstm --expect 'weight_ih_l-1 = 1'", "lstm --expect 'params < 1.5B'", "lstm --expect '= 3'"),
    *("lstm --expect 'macs < 7B'", "lstm --expect 'outptu <= 10,5,40'", "lstm --expect 'h_n ='"),
    *("lstm --expect 'parms = 10,5'", "lstm --expect 'output <= 10,5,40'"),
    *("lstm --expect 'outptu = 10,5,40'", "lstm --expect 'params = 9920B'"),
    *("lstm --expect 'parameters=<9920'", "lstm --expect params 9920"),
    "lstm --expect 'encoder/params = 3'",
    # the run, and what is written
    *("lstm -f jsno", "lstm --color nevr", "lstm --time --no-run"),
    *(
        "lstm --train --no-run",
        "lstm --show training",
        "gru --optimizer adamm --no-run --show cost",
    ),
    *("lstm --time --device meta", "lstm --show time --device meta", "lstmm --hidden 3"),
    *("--hidden 5 lstm", "--bidir", "--hidden=5 gru --layers 2", "--no-run compare lstm gru"),
    "inspect 'nn.LSTM(20, 40)' --show evidence",
    *("lstm --dtype float8_e5m2", "lstm --dtype complex32", "lstm --device mps"),
    *("check --init lstm --no-run --update", "check --init lstm --only a"),
    *("check --init lstm --device cpu", "check --init lstm -f json", "check --update -o a.md"),
]


# What is wrong with these beside the first problem is told when that is corrected.
WRONG_TWICE: Final = {
    *(
        "lstm --show shapes,time --no-run",
        "lstm --show time --device meta",
        "check --update -o a.md",
    ),
    *(
        "lstm --hidden",
        "lstm --hidden_size",
        "inspect 'lstm --hidden'",
    ),
    *("lstm --proj 99.5", "lstm --proj 39,40"),
}


FILES: Final = {
    "model.pt": saved(model_state()),
    "broken.pt": saved({"weight_ih_l0": torch.zeros(16, 3)}),
    "linear.pt": saved({"weight": torch.zeros(16, 3)}),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may write files, looks for a manifest, and may name a file of weights."""
    monkeypatch.chdir(tmp_path)
    for name, data in FILES.items():
        Path(name).write_bytes(data)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_hint_of_the_command_line_can_be_followed(request_: str) -> None:
    words = shlex.split(request_)
    problem, hint = two_lines(call(*words))
    requests = [each for each in followed(words, problem, hint) if each != words]
    assert requests, f"{problem}: {hint}"
    # Help is always accepted, so beside a remedy it proves nothing.
    requests = [each for each in requests if "--help" not in each] or requests
    results = [_alone(each) for each in requests]
    problems = [two_lines(result)[0] for result in results if result.code == 2]
    assert problem not in problems, (hint, requests)
    codes = {result.code for result in results}  # 1: an expectation that can be judged
    assert codes <= {0, 1} or request_ in WRONG_TWICE, (hint, problems)


def _alone(words: list[str]) -> Result:
    """What a request gives in a folder without a manifest, which an earlier one may have made."""
    Path("rnnshape.toml").unlink(missing_ok=True)
    return call(*_formulas_alone(words))


def _formulas_alone(words: list[str]) -> list[str]:
    """The words without the run, unless the run is what they are about."""
    about_run = {"--time", "--train", "--dtype", "--device", "compare", "--help", "--init", "--run"}
    return words if {*words} & about_run else [*words, "--no-run"]


def test_the_range_of_a_hint_is_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MOST_LISTED", 10)
    problem, hint = two_lines(call("compare", "lstm", "--hidden", "1..95"))
    assert problem.endswith("has 95 numbers; the most is 10")
    assert call("compare", "lstm", *shlex.split(hint)).code == 0


@pytest.mark.parametrize(("request_", "words", "typed"), [(r, *told) for r, told in PROSE.items()])
def test_a_person_who_has_read_the_hint_is_answered(request_: str, words: str, typed: str) -> None:
    _, hint = two_lines(call(*shlex.split(request_)))
    assert words in hint
    assert call(*shlex.split(typed), "--no-run").err == ""


# Calls of the Python API that are refused with a hint that is followed word by word.
CALLS: Final = [
    *("RNNConfig(kind='LSTM', proj_size=40)", "RNNConfig(kind='LSTM', hidden_size=1, proj_size=1)"),
    *("RNNConfig(kind='GRU', proj_size=5)", f"RNNConfig(kind='RNN', proj_size={10**500})"),
    *(
        "RNNConfig(kind='LST')",
        "RNNConfig(kind=3)",
        "RNNConfig(kind='LSTM', cell=True, num_layers=2)",
    ),
    *("RNNConfig(kind='GRU', cell=True, bidirectional=True)", "RNNConfig(kind='LSTM', bias=None)"),
    *("RNNConfig(kind='GRU', nonlinearity='relu')", "RNNConfig(kind='RNN', nonlinearity='x')"),
    *("RNNConfig(kind='RNN', nonlinearity=3)", "RNNConfig(kind='LSTM', dropout=3)"),
    *(
        "InputSpec(batched=False, lengths=(3,))",
        "InputSpec(seq_len=3, batch_size=2, lengths=(4, 2))",
    ),
    *("InputSpec(lengths=3)", "InputSpec(lengths=(3, 2))", "InputSpec(batch_size=3, lengths=())"),
    *("Settings(device='cpu:1')", "Settings(device=3)", "Settings(dtype=3)"),
    "Settings(optimizer='adma')",
    "Settings(device='tpu')",
    "inspect(nn.Linear(2, 2))",
    "Settings(dtype='int64')",
    *("inspect(nn.LSTM(20, 40), 5)", "inspect(nn.LSTM(20, 40), settings=5)"),
    *("inspect('lstm --proj 50')", "inspect('gru --proj 10')", "inspect('lstm --cell --layers 2')"),
    *("inspect('lstm --hidden x')", "inspect('nn.LSTM(20, 40, proj_size=40)')", "inspect(5)"),
    *("report.expect('params')", "report.expect('outptu = 3')"),
    *("report.expect(5)", "report.expect('output <= 10,5,40')"),
    "inspect('lstm', settings=Settings(dtype='complex32'), run=True)",
]


# What is wrong with this beside the first problem is told when that is corrected: the batch.
CALLS_WRONG_TWICE: Final = {"InputSpec(lengths=3)"}


# Calls that are refused with a hint in prose: words of it, and what a person calls then.
PROSE_CALLS: Final = {
    "explain(5)": ("rnnshape.explain(error)", "explain(ValueError('an error'))"),
    "from_state_dict({'model': nn.LSTM(20, 40).state_dict()})": (
        "rnnshape.from_state_dict(mapping['model'])",
        "from_state_dict({'model': nn.LSTM(20, 40).state_dict()}['model'])",
    ),
    "from_state_dict(5)": (
        "rnnshape.from_state_dict(model.state_dict())",
        "from_state_dict(nn.LSTM(20, 40).state_dict())",
    ),
    "inspect_model(5)": (
        "rnnshape.inspect also takes a layer as text",
        "inspect('lstm', run=False)",
    ),
    "inspect(nn.Sequential(nn.GRU(3, 4)))": (
        "rnnshape.inspect_model finds those",
        "inspect_model(nn.Sequential(nn.GRU(3, 4)), run=False)['0']",
    ),
    "report.to_html(show='weigths')": ("show='weights'", "report.to_html(show='weights')"),
    "inspect('gru --cell', run=False).to_latex(show='grid')": (
        "show='default'",
        "inspect('gru --cell', run=False).to_latex(show='default')",
    ),
    "report.expect(['params <= 9920'])": (
        "expect(*expectations)",
        "report.expect(*['params <= 9920'])",
    ),
    "RNNConfig(kind='LSTM', hidden_size=2.5)": (
        "hidden_size counts features",
        "RNNConfig(kind='LSTM', hidden_size=2)",
    ),
    "InputSpec(batch_size=10_001, lengths=[1] * 10_001)": (
        "give the lengths of fewer rows",
        "InputSpec(batch_size=1, lengths=[1])",
    ),
    "InputSpec(batch_size=1, lengths=[10**7])": (
        "give shorter rows",
        "InputSpec(batch_size=1, lengths=[1])",
    ),
    "InputSpec(batch_size=21, lengths=[11] * 21)": (
        "give lengths of at most 10",
        "InputSpec(batch_size=21, lengths=[9] * 21)",
    ),
}


@pytest.mark.parametrize(
    ("text", "words", "typed"), [(c, *told) for c, told in PROSE_CALLS.items()]
)
def test_a_person_who_has_read_the_hint_is_served(text: str, words: str, typed: str) -> None:
    names = _namespace()
    with pytest.raises(RequestError) as refused:
        eval(text, names)  # noqa: S307
    assert words in refused.value.hint
    eval(typed, names)  # noqa: S307


def _namespace() -> dict[str, Any]:
    report = rnnshape.inspect("nn.LSTM(20, 40)", run=False)
    names = {name: getattr(rnnshape, name) for name in rnnshape.__all__}
    return {**names, "nn": nn, "rnnshape": rnnshape, "report": report, "expect": report.expect}


@pytest.mark.parametrize("text", CALLS)
def test_a_hint_of_the_python_api_can_be_followed(text: str) -> None:
    names = _namespace()
    with pytest.raises(RequestError) as refused:
        eval(text, names)  # noqa: S307 - the calls of this module
    error = refused.value
    calls = [each for each in followed_in_python(text, error) if each != text]
    assert calls, str(error)
    for each in calls:
        assert _refusal(each) is None or text in CALLS_WRONG_TWICE, (error.hint, each)
        assert _refusal(each) != error.problem, (error.hint, each)


def _refusal(text: str) -> str | None:
    """Why a call is refused, or None."""
    try:
        eval(text, _namespace())  # noqa: S307
    except RequestError as error:
        return error.problem
    except AssertionError:
        assert "expect" in text  # an expectation that can be judged
    return None


# Modules of a manifest that are refused with a hint that is followed word by word.
MODULES: Final = [
    "modules = 5",
    "[modules]",
    "[modules]\na = 5",
    "[module.a]",
    "target = 5",
    "expect = []",
    'target = "nn.LSTM(20, 40)"\nexpct = []',
    'target = "nn.LSTM(20, 40)"\nzzz = 1',
    *(f'target = "lstm"\nexpect = ["h_0 = {wrong}"]' for wrong in ("a/h_m", "aa/h_0")),
    *(
        f'target = "lstm"\n{key} = {value}'
        for key, value in {
            "seq_len": "0",
            "batch": "-1",
            "input_shape": "[]",
            "lengths": "[0]",
            "unbatched": "1",
            "device": "3",
            "dtype": "3",
            "expect": "3",
            "matches": "3",
            "with_state": '"x"',
        }.items()
    ),
    *(
        f'target = "{target}"'
        for target in (
            "lstm --hidden x",
            "lstm --proj 50",
            "gru --proj 10",
            "lstm --seq 3",
            "lstm --hidde 3",
            "nn.LSTM(20, 40, proj_size=40)",
            "nn.LSTM(20, 40, dropout=2)",
            "lstm --cell --layers 2",
            "nn.LSTM(0, 40)",
        )
    ),
    'target = "lstm"\nmatches = "lstm --hidden x"',
    'target = "lstm"\nseq = 3\nseq_len = 3',
    'target = "lstm"\nunbatched = true\nbatch = 3',
    'target = "lstm"\ninput_shape = [10, 5, 20]\nunbatched = true',
    'target = "lstm"\ninput_shape = [10, 5, 20]\nbatch_size = 3',
    'target = "lstm --input 30"\ninput_shape = [10, 5, 20]',
    'target = "nn.LSTM(30, 40)"\ninput_shape = [10, 5, 20]',
    'target = "lstm"\ninput_shape = [2, 5, 20]\nlengths = [3, 2]',
    'target = "nn.LSTM(20, 40)"\ninput_shape = [2, 5, 20]\nlengths = [3, 2]',
    'target = "lstm --cell"\nseq = 3',
    'target = "lstm"\nbatch = 3\nlengths = [3, 2]',
    'target = "lstm"\nexpect = ["params <= 1.5"]',
    'target = "lstm"\nexpect = ["outptu = 10,5,40"]',
    'target = "lstm"\ndevice = "tpu"',
    'target = "lstm"\ndtype = "int64"',
]


@pytest.mark.parametrize("text", MODULES)
def test_a_hint_of_a_manifest_can_be_followed(text: str) -> None:
    (problem, hint), *_ = _problems(text)
    assert problem.startswith("rnnshape.toml")
    modules = [
        each
        for each in followed_in_toml(text, problem.partition("toml: ")[2], hint)
        if each != text
    ]
    assert modules, f"{problem}: {hint}"
    for each in modules:
        problems = dict(_problems(each))
        assert not problems or text in MODULES_WRONG_TWICE, (hint, problems)
        assert problem not in problems, (hint, each)


# What is wrong with this beside the first problem is told when that is corrected: no target.
MODULES_WRONG_TWICE: Final = {"[module.a]"}


# Modules that are refused with a hint in prose: words of it, and what a person writes then.
PROSE_MODULES: Final = {
    "target = ": ("correct the TOML there", 'target = "lstm"'),
    "seq = 1" + "0" * 5000: ("give a smaller number", "seq = 1\ntarget = 'lstm'"),
    f"expect = {'[' * 200}": ("correct the TOML there", 'target = "lstm"'),
}


@pytest.mark.parametrize(
    ("text", "words", "typed"),
    [(text, *told) for text, told in PROSE_MODULES.items()],
    ids=range(len(PROSE_MODULES)),
)
def test_a_person_who_has_read_the_hint_has_a_manifest(text: str, words: str, typed: str) -> None:
    ((_, hint), *_) = _problems(text)
    assert words in hint
    assert not _problems(typed)


def _problems(text: str) -> list[tuple[str, str]]:
    """Each problem of a manifest without its line, and its hint; `text` may be of one module."""
    manifest = Path("rnnshape.toml")
    manifest.write_text(text if text.startswith(("[", "modules")) else f"[modules.a]\n{text}\n")
    try:
        rnnshape.check(manifest, run=False)
    except AssertionError:
        pass  # an expectation that can be judged
    except RequestError as refused:
        return [(re.sub(r":\d+: ", ": ", e.problem), e.hint) for e in refused.errors]
    return []


# Commands beside a manifest of a module "a", whose hints are followed word by word.
WITH_MANIFEST: Final = [
    *(
        "check --only b",
        "check --only aa",
        "check rnnshape.toml other.toml",
        "check nothing.toml",
        "check .",
    ),
    "check --init lstm",
]


@pytest.mark.parametrize("request_", WITH_MANIFEST)
def test_a_hint_about_a_manifest_can_be_followed(request_: str) -> None:
    assert not _problems('target = "lstm"')
    words = shlex.split(request_)
    problem, hint = two_lines(call(*words))
    requests = list(followed(words, problem, hint))
    assert requests
    for each in requests:
        assert call(*each, "--no-run").code == 0, each


# What is pointed out, where, and the front end that is told.
NOTED: Final = [
    "lstm --input-shape 5,10,20",
    "lstm --input-shape 5,20",
    "inspect 'lstm --hidden 40' --input-shape 5,10,20",
    "inspect 'nn.LSTM(20, 40)' --input-shape 5,10,20",
    "inspect 'nn.LSTM(20, 40)' --input-shape 5,20",
    "inspect 'nn.LSTM(20, 40, 4, True)'",
    "inspect 'nn.RNN(20, 40, 4, \"relu\", False)'",
    "inspect 'nn.LSTM(20, 40, bidirectional=1)'",
    "inspect 'nn.LSTM(20, 40, num_layers=True)'",
    "lstm --proj 35",
    "inspect 'lstm --proj 35'",
    "inspect 'nn.LSTM(20, 40, proj_size=35)'",
    "budget lstm --match 'nn.LSTM(20, 40, 4, True)'",
    "compare 'nn.LSTM(20, 40, 4, True)' gru",
]


@pytest.mark.parametrize("request_", NOTED)
def test_what_a_note_advises_can_be_done_and_settles_it(request_: str) -> None:
    words = shlex.split(request_)
    (note, *_) = notes = _notes(words)
    advised = list(_advised(words, note))
    assert advised, note
    for each in advised:
        assert note not in _notes(each), each
    assert len(notes) == 1


def _notes(words: list[str]) -> list[str]:
    result = call(*words, "--no-run")
    assert (result.code, result.err) == (0, ""), words
    notes = re.findall(r"^note: (.*(?:\n {6}.*)*)", result.out, re.MULTILINE)
    return [" ".join(note.split()) for note in notes]


def _advised(words: list[str], note: str) -> Iterator[list[str]]:
    """The request after each thing that a note advises."""
    for advice in re.findall(
        r"add (.*?):|steps, (.*) says so|batch; (.*) says so|; (nn.*) (?:is|keeps)|as (\w+=\w+):"
        r"|up to (\d+) saves",
        note,
    ):
        part = next(filter(None, advice))
        part = f"proj_size={part}" if part.isdigit() else part
        if part.startswith("proj") and "--proj" in " ".join(words):
            part = f"--proj {part.partition('=')[2]}"
            part += " in the target" if words[0] == "inspect" else ""
        yield from followed(words, note, part)


# What no word of a request changes: streams, files, the machine, and modules that are broken; and
# `explain`, for which tests/test_explain.py names the hint.
OUTSIDE: Final = {
    *("cli/check.py", "cli/completion.py", "cli/explain.py", "cli/main.py", "cli/inspect.py"),
    "files.py",
    *("layer/memory.py", "pytorch/building.py", "pytorch/existing.py"),
    # What a user's model does; tests/test_models.py and tests/test_forward.py name the hints.
    *("pytorch/converted.py", "pytorch/importing.py", "pytorch/tracing.py"),
    *("sources/import_path.py", "sources/model.py"),
    *(
        "pytorch/run.py",
        "pytorch/stateless.py",
        "render/chart.py",
        "sources/manifest_file.py",
        "sources/toml.py",
    ),
}


def _hints() -> dict[tuple[str, int], str]:
    """The file of each call in the package that is given a hint, by its path and line.

    `errors.py` only passes on the hints of others.
    """
    package = ROOT / "rnnshape"
    return {
        (str(path), node.lineno): path.relative_to(package).as_posix()
        for path in {*package.rglob("*.py")} - {package / "errors.py"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and any(word.arg == "hint" for word in node.keywords)
    }


def test_every_hint_is_among_these(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[tuple[str, int]] = set()
    make = RequestError.__init__

    def recording(self: RequestError, *arguments: Any, **fields: Any) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            reached.add((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        make(self, *arguments, **fields)

    monkeypatch.setattr(RequestError, "__init__", recording)
    monkeypatch.setattr(values, "MOST_LISTED", 1000)
    for request in (*REQUESTS, *PROSE, "compare lstm --hidden 1..1001"):
        call(*shlex.split(request))
    names = _namespace()
    for text in (*CALLS, *PROSE_CALLS):
        with pytest.raises(RequestError):
            eval(text, names)  # noqa: S307
    for text in (*MODULES, *PROSE_MODULES):
        _problems(text)
    _problems('target = "lstm"')
    for request in WITH_MANIFEST:
        call(*shlex.split(request))
    missed = {place: file for place, file in _hints().items() if place not in reached}
    outside = (*OUTSIDE, "sources/files/")  # whose own tests name the hints
    assert [place for place, file in missed.items() if not file.startswith(outside)] == []
    assert sorted(OUTSIDE - {*missed.values()}) == []
