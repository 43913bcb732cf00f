"""A text means the layer that PyTorch makes of it, however it is pasted, and nothing in it runs."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.settings import DType
from rnnshape.layer.traps import PositionalBias, Trap, UncheckedFlag, UncheckedSize
from rnnshape.sources.constructor import CONSTRUCTORS, Constructor
from rnnshape.sources.expression import read_call
from rnnshape.sources.target import Target
from tests import reference
from tests.calls import built, refused, valid_calls
from tests.program import needs_pinned_torch
from tests.strategies import examples

FIELDS = (
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
    "proj_size",
    "nonlinearity",
)


def attributes(module: nn.Module) -> dict[str, Any]:
    return {name: getattr(module, name) for name in FIELDS if hasattr(module, name)}


@examples(300)
@given(valid_calls())
def test_a_valid_call_means_the_module_that_pytorch_builds(text: str) -> None:
    module, parsed = built(text), read_call(text)
    assert parsed.config.class_name == f"nn.{type(module).__name__}"
    for name, value in attributes(module).items():
        assert getattr(parsed.config, name) == value, name
    assert sum(p.numel() for p in module.parameters()) == reference.parameters(parsed.config)
    assert parsed.device == "meta"
    dtype = (parsed.dtype or DType.FLOAT32).value
    assert all(p.dtype == getattr(torch, dtype) for p in module.parameters())


ODD = ("True", "False", "None", "0", "1", "-1", "3", "2.0", "0.0", "0.5", "-0.5", "7.5")
WORDS = ("'tanh'", "'relu'", "'0.5'", "''", "1e999", "1e999 - 1e999", "10**400")


@st.composite
def odd_calls(draw: st.DrawFn) -> str:
    """Calls with values of any type, too few or too many arguments, and names that are none."""
    constructor = draw(st.sampled_from(list(CONSTRUCTORS.values())))
    values = st.sampled_from([*ODD, *WORDS[:4], "5", "5", "True"])
    size, rare = st.sampled_from(["5", "3"]), st.integers(0, 5)
    by_place = draw(st.lists(values, max_size=len(constructor.arguments) + 1))
    by_place = [draw(size) if n < 2 and draw(rare) else v for n, v in enumerate(by_place)]
    device = constructor.arguments.index("device")
    by_place = [*by_place[:device], *["'meta'"] * (len(by_place) > device), *by_place[device + 1 :]]
    by_place[device + 1 : device + 2] = ["None"] * (len(by_place) > device + 1)
    names = [*constructor.arguments, "hidden", "mode", "num_chunks", "proj_size", "nonlinearity"]
    by_name = draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
    for name in ("input_size", "hidden_size"):
        if constructor.arguments.index(name) >= len(by_place) and draw(rare):
            by_name[name] = draw(size)
    by_name.pop("dtype", None)
    by_name.pop("device", None)
    if "'meta'" not in by_place:
        by_name["device"] = "'meta'"
    words = [*by_place, *(f"{name}={value}" for name, value in by_name.items())]
    return f"{constructor.name}({', '.join(words)})"


@needs_pinned_torch
@examples(1000)
@given(odd_calls())
@example("nn.LSTM(5, 3, dropout=10**400, device='meta')")
@example("nn.RNN(True, True, device='meta')")
@example("nn.LSTM(5, 3, dropout=1e999 - 1e999, device='meta')")
@example("nn.LSTM(5, 3, proj_size=1e999, device='meta')")
@example("nn.LSTM(5, 3, proj_size=1e999 - 1e999, device='meta')")
@example("nn.LSTM(5, 3, num_layers=1e999, device='meta')")
@example("nn.GRU(5, 3, 1, True, False, 0.0, False, 'meta')")
def test_an_odd_call_gets_the_verdict_of_pytorch(text: str) -> None:
    module, verdict = outcome(text)
    if module is None:
        assert f"PyTorch raises {verdict}" in refused(text).problem
        return
    parsed, problem = reading(text)
    if parsed is None:
        unrunnable = "PyTorch raises RuntimeError in forward" in problem
        empty_cell = "Cell" in text and "a whole number of 1 or more, not " in problem
        assert unrunnable or empty_cell, problem
        return
    for name, value in attributes(module).items():
        assert getattr(parsed.config, name) == (bool(value) if name in FLAGS else value)


def outcome(text: str) -> tuple[nn.Module | None, str]:
    """What PyTorch builds, or the name of the exception that it raises, whichever that is."""
    try:
        return built(text), ""
    except Exception as error:  # noqa: BLE001
        return None, type(error).__name__


def reading(text: str) -> tuple[Target | None, str]:
    """What the text says, or why it is refused."""
    try:
        return read_call(text), ""
    except RequestError as error:
        return None, error.problem


FLAGS = ("bias", "batch_first", "bidirectional")


@pytest.mark.parametrize("constructor", CONSTRUCTORS.values(), ids=list(CONSTRUCTORS))
def test_arguments_have_the_places_of_the_real_signature(constructor: Constructor) -> None:
    if constructor.cell:
        cell = getattr(nn, constructor.name.removeprefix("nn."))
        names = list(inspect.signature(cell.__init__).parameters)[1:]
    else:
        names = list(inspect.signature(nn.RNNBase.__init__).parameters)[2:]
        if constructor.kind is Kind.RNN:
            names.insert(3, "nonlinearity")
    assert list(constructor.arguments) == names


@pytest.mark.parametrize(
    "text",
    [
        "nn.LSTM(20, 40)",
        "  nn.LSTM(20, 40)\n",
        "torch.nn.LSTM(20, 40)",
        "LSTM(20, 40)",
        "nn.LSTM(20, 40,)  # the encoder",
        "nn.LSTM(\n    20,\n    40,\n)",
        "self.lstm = nn.LSTM(20, 40)",
        "        self.lstm = nn.LSTM(20, 40)",
        "lstm: nn.LSTM = nn.LSTM(20, 40)",
        "a = b = nn.LSTM(20, 40)",
        "nn.LSTM(hidden_size=40, input_size=20)",
        "nn.LSTM(2 * 10, 5 << 3)",
        "nn.LSTM(+20, 2**5 + 8)",
        "nn.LSTM(41 // 2, -(-40))",
        "nn.LSTM(0x14, 4_0)",
        "nn.LSTM(20, # \u00e9 \x1b[31m `\n 40)",
        "\uff4e\uff4e.LSTM(20, 40)",
        "rnn\u00a0=\u2003nn.LSTM(20,\u00a040)",
        "nn.modules.LSTM(20, 40)",
        "nn.modules.rnn.LSTM(20, 40)",
        "torch.nn.modules.LSTM(20, 40)",
        "torch.nn.modules.rnn.LSTM(20, 40)",
    ],
)
def test_one_call_is_written_in_many_ways(text: str) -> None:
    target = read_call(text)
    assert target.config == RNNConfig(kind=Kind.LSTM, input_size=20, hidden_size=40)
    assert target.fields.keys() == {"input_size", "hidden_size"}
    assert (target.origin.traps, target.device, target.dtype) == ((), None, None)
    typed = target.origin.target or ""
    assert read_call(typed) == target
    assert typed.isascii()
    assert typed.isprintable()


def test_what_is_given_is_what_the_call_tells() -> None:
    parsed = read_call("nn.RNNCell(20, 40, nonlinearity='relu', device='cpu')")
    assert parsed.fields.keys() == {"input_size", "hidden_size", "nonlinearity", "cell"}
    fields = read_call("nn.GRU(20, 40, 1)").fields
    assert fields.keys() == {"input_size", "hidden_size", "num_layers"}


@pytest.mark.parametrize(
    ("words", "device", "dtype"),
    [
        ("device='cuda:1'", "cuda:1", None),
        ("device=torch.device('cuda')", "cuda", None),
        ("device=torch.device('cuda', 1)", "cuda:1", None),
        ("device=None, dtype=None", None, None),
        ("dtype=torch.float64", None, DType.FLOAT64),
        ("dtype=torch.double", None, DType.FLOAT64),
        ("dtype=float", None, DType.FLOAT64),
        ("dtype=complex", None, DType.COMPLEX128),
    ],
)
def test_device_and_dtype_are_read(words: str, device: str | None, dtype: DType | None) -> None:
    parsed = read_call(f"nn.LSTM(20, 40, {words})")
    assert (parsed.device, parsed.dtype) == (device, dtype)


MEANT = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
TRAPS: list[tuple[str, tuple[Trap, ...]]] = [
    ("nn.LSTM(20, 40, 4, True)", (PositionalBias(bias=True, place=4, meant=MEANT),)),
    (
        "nn.GRU(20, 40, 4, False)",
        (PositionalBias(bias=False, place=4, meant="nn.GRU(20, 40, num_layers=4)"),),
    ),
    (
        "nn.RNN(20, 40, 4, 'relu', True, dropout=0.5)",
        (
            PositionalBias(
                bias=True,
                place=5,
                meant="nn.RNN(20, 40, num_layers=4, nonlinearity='relu', dropout=0.5,"
                " bidirectional=True)",
            ),
        ),
    ),
    ("nn.LSTM(20, 40, 4, True, True)", ()),
    ("nn.LSTM(20, 40, 4, True, bidirectional=True)", ()),
    ("nn.LSTM(20, 40, 4, bias=True)", ()),
    ("nn.LSTMCell(20, 40, True)", ()),
    ("nn.GRU(20, 40, 1, True, False, 0.0, False, 0)", ()),
    (
        "nn.LSTM(20, hidden_size=True)",
        (UncheckedSize(name="hidden_size", value=True, taken_as=1, runs=True),),
    ),
    (
        "nn.GRU(20, hidden_size=True, num_layers=2, bidirectional=True)",
        (UncheckedSize(name="hidden_size", value=True, taken_as=1, runs=True),),
    ),
    (
        "nn.LSTM(20, 40, True)",
        (UncheckedSize(name="num_layers", value=True, taken_as=1, runs=False),),
    ),
    (
        "nn.LSTM(20, 40, proj_size=0.0)",
        (UncheckedSize(name="proj_size", value=0.0, taken_as=0, runs=True),),
    ),
    (
        "nn.LSTM(20, 40, bidirectional=1)",
        (UncheckedFlag(name="bidirectional", value=1, taken_as=True, runs=False),),
    ),
    (
        "nn.GRU(20, 40, bidirectional='no')",
        (UncheckedFlag(name="bidirectional", value="no", taken_as=True, runs=False),),
    ),
    (
        "nn.RNNCell(20, 40, 'relu')",
        (UncheckedFlag(name="bias", value="relu", taken_as=True, runs=True),),
    ),
    (
        "nn.LSTMCell(20, 40, None)",
        (UncheckedFlag(name="bias", value=None, taken_as=False, runs=True),),
    ),
]


@pytest.mark.parametrize(("text", "traps"), TRAPS, ids=[text for text, _ in TRAPS])
def test_a_trap_is_what_it_says(text: str, traps: tuple[Trap, ...]) -> None:
    assert read_call(text).origin.traps == traps
    module, runs = built(text), all(getattr(trap, "runs", True) for trap in traps)
    cell = isinstance(module, nn.RNNCellBase)
    fed = torch.zeros(2, 20) if cell else torch.zeros(3, 2, 20)
    if runs:
        module(fed)
    else:
        with pytest.raises(TypeError):
            module(fed)


def test_the_meaning_of_a_trap_is_what_pytorch_builds() -> None:
    for text, traps in TRAPS:
        for trap in traps:
            if isinstance(trap, PositionalBias):
                meant = built(trap.meant)
                assert attributes(meant)["bias"] is True
                assert attributes(meant)["bidirectional"] is trap.bias, text


REFUSED = {
    "nn.LSTM(20)": (
        "nn.LSTM needs hidden_size; PyTorch raises TypeError",
        "nn.LSTM(input_size=20, hidden_size=40)",
    ),
    "nn.LSTM(20, 40, hidden=3)": (
        "nn.LSTM has no argument hidden; PyTorch raises TypeError",
        "leave hidden out: hidden_size is given too",
    ),
    "nn.GRU(20, 40, nonlinearity='relu')": (
        "nn.GRU has no argument nonlinearity; PyTorch raises TypeError",
        "nn.RNN has nonlinearity",
    ),
    "nn.LSTMCell(20, 40, bidirectional=True)": (
        "nn.LSTMCell has no argument bidirectional; PyTorch raises TypeError",
        "nn.LSTM has bidirectional",
    ),
    "nn.LSTM(20, 40, input_size=3)": (
        "input_size is given twice; PyTorch raises TypeError",
        "give input_size once, by its name",
    ),
    "nn.LSTM(20, 40, bias=True, bias=True)": (
        "bias is given twice; Python raises SyntaxError",
        "give bias once",
    ),
    "nn.GRUCell(20, 40, True, None, None, 1)": (
        "nn.GRUCell takes 5 arguments, not 6; PyTorch raises TypeError",
        "they are input_size, hidden_size, bias, device, dtype",
    ),
    "nn.GRU(20, 40, proj_size=0)": (
        "nn.GRU has no proj_size; only nn.LSTM has one; PyTorch raises ValueError, even for 0",
        "leave proj_size out",
    ),
    "nn.GRU(20, 40, 1, True, False, 0.0, False, 5)": (
        (
            "proj_size must be 0, or in nn.LSTM a whole number smaller than hidden_size, not 5;"
            " PyTorch raises RuntimeError in forward"
        ),
        "argument 8 of nn.GRU is proj_size; name what you mean",
    ),
    "nn.RNN(20, 40, 4, True)": (
        "nonlinearity must be 'tanh' or 'relu', not True; PyTorch raises ValueError",
        f"argument 4 is nonlinearity; {MEANT.replace('LSTM', 'RNN')} is bidirectional",
    ),
    "nn.RNNCell(20, 40, nonlinearity='gelu')": (
        "nonlinearity must be 'tanh' or 'relu', not 'gelu'; PyTorch raises RuntimeError in forward",
        "nonlinearity='relu'",
    ),
    "nn.LSTM(20, 40, dropout=True)": (
        "dropout must be a number from 0 to 1, not True; PyTorch raises ValueError",
        "dropout=0.2",
    ),
    "nn.LSTM(20, 40, 2, 1)": (
        "bias must be True or False, not 1; PyTorch raises TypeError",
        "argument 4 of nn.LSTM is bias; name what you mean",
    ),
    "nn.LSTM(20, 80 / 2)": (
        "hidden_size must be a whole number of 1 or more, not 40.0; PyTorch raises TypeError",
        "hidden_size=40",
    ),
    "nn.LSTM(20, 40, proj_size=40)": (
        (
            "proj_size must be 0, or in nn.LSTM a whole number smaller than hidden_size, not 40;"
            " PyTorch raises ValueError"
        ),
        "proj_size=0",
    ),
    "nn.LSTM(input_dim, 40)": (
        "input_size must be a whole number of 1 or more, not the name input_dim",
        "the text is read, never run: write values, as in nn.LSTM(20, 40)",
    ),
    "nn.LSTM(300, 2 * self.hidden, dropout=p, bidirectional=bi, device=device)": (
        (
            "hidden_size must be a whole number of 1 or more, not 2 * self.hidden;"
            " the same goes for dropout, bidirectional"
        ),
        (
            "the text is read, never run: write values, as in"
            " nn.LSTM(300, 40, dropout=0.2, bidirectional=True)"
        ),
    ),
    "nn.LSTM(20, 40, bidirectional=true)": (
        "bidirectional must be True or False, not the name true",
        "nn.LSTM(20, 40, bidirectional=True)",
    ),
    "nn.GRU(20, 40, bias=FALSE)": (
        "bias must be True or False, not the name FALSE",
        "nn.GRU(20, 40, bias=False)",
    ),
    "nn.RNN(20, 40, nonlinearity=relu)": (
        "nonlinearity must be 'tanh' or 'relu', not the name relu",
        "nn.RNN(20, 40, nonlinearity='relu')",
    ),
    # A value for the name alone is not enough here.
    "nn.LSTM(input_dim)": (
        "input_size must be a whole number of 1 or more, not the name input_dim",
        f"the text is read, never run: write values, as in {MEANT}",
    ),
    # Python warns of this text where it compiles it.
    # Python has advice on it, which is not for stderr.
    "nn.LSTM(3inf, 8)": (
        "nn.LSTM(3inf, 8) is not Python: invalid syntax. Perhaps you forgot a comma?",
        "as in nn.LSTM(20, 40, num_layers=4, bidirectional=True)",
    ),
    "nn.LSTM(20, 1if 2else 3)": (
        "hidden_size must be a whole number of 1 or more, not 1 if 2 else 3",
        "the text is read, never run: write values, as in nn.LSTM(20, 40)",
    ),
    "nn.LSTM(*sizes)": (
        "nn.LSTM(*sizes) does not spell out its arguments",
        "the text is read, never run: write each argument in place of * and **",
    ),
    "nn.LSTM(20, 1 / 0)": ("hidden_size=1 / 0 has no value: division by zero", "write the number"),
    "nn.LSTM(20, 9**9**9)": ("hidden_size has over 500 digits", "give a smaller number"),
    "nn.LSTM(20, 1 << 9**9)": ("hidden_size has over 500 digits", "give a smaller number"),
    "nn.LSTM(20, (-8) ** 0.5)": (
        "hidden_size=(-8) ** 0.5 has no value: it is complex",
        "write the number",
    ),
    "nn.LSTM(20, 2.0**5000)": (
        "hidden_size=2.0 ** 5000 has no value: Numerical result out of range",
        "write the number",
    ),
    "nn.LSTM(20, 40, device=device)": (
        "device must be a name in quotes, not device",
        "device='cuda:0', or leave it out: no shape depends on it",
    ),
    "nn.LSTM(20, 40, dtype='float32')": (
        "dtype must be one of torch's, not 'float32'",
        "dtype=torch.float64, or leave it out: no shape depends on it",
    ),
    "nn.Linear(20, 40)": (
        "nn.Linear is not a recurrent layer of torch.nn",
        f"one of nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell, as in {MEANT}",
    ),
    "nn.LSTM(20, 40": (
        "nn.LSTM(20, 40 is not Python: '(' was never closed",
        "nn.LSTM(20, 40)",
    ),
    ">>> nn.LSTM(20, 40": (
        ">>> nn.LSTM(20, 40 is not Python: '(' was never closed",
        "as in nn.LSTM(20, 40, num_layers=4, bidirectional=True)",
    ),
    "(0): Linear(in_features=20, out_features=40, bias=True)": (
        "Linear is not a recurrent layer of torch.nn",
        f"one of nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell, as in {MEANT}",
    ),
    "nn.LSTM": (
        "nn.LSTM is not a call of a recurrent layer",
        f"call one with the values written out: {MEANT}",
    ),
    "nn.LSTM(20, 40); nn.GRU(30, 40)": (
        "2 recurrent layers are constructed: nn.LSTM(20, 40), nn.GRU(30, 40)",
        "give one at a time: nn.LSTM(20, 40)",
    ),
    "for n in 1, 2, 3, 4: nn.Sequential(nn.RNN(1, n), nn.GRU(n, 3), RNN(3, 4), RNNCell(4, 5))": (
        "4 recurrent layers are constructed: nn.RNN(1, n), nn.GRU(n, 3), RNN(3, 4) and 1 more",
        "give one at a time: nn.RNN(1, n)",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_says_what_and_why_and_what_to_do(text: str) -> None:
    error = refused(text)
    assert (error.problem, error.hint) == REFUSED[text]


@needs_pinned_torch
@pytest.mark.parametrize("text", [text for text, words in REFUSED.items() if "raises" in words[0]])
def test_python_raises_what_a_refusal_says_that_it_raises(text: str) -> None:
    verdict = refused(text).problem.partition(" raises ")[2]
    module, raised = outcome(text)
    if module is not None:
        with pytest.raises(RuntimeError) as caught:
            module(torch.zeros(2, 20) if "Cell" in text else torch.zeros(3, 2, 20))
        raised = f"{caught.type.__name__} in forward"
    assert verdict.partition(",")[0] == raised


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "# nn.LSTM(20, 40)",
        "nn.LSTM",
        "20",
        "pass",
        "f",
        "f()",
        "f()()",
        "rnn.LSTM(20, 40)",
        "torch.nn.utils.rnn.LSTM(20, 40)",
        "nn.rnn.LSTM(20, 40)",
        "self.nn.LSTM(20, 40)",
        "LSTM",
        "lstm --hidden 40",
        "nn.LSTM(20, 40).hafl()",
        "nn.LSTM(20, 40).half(2)",
        "nn.LSTM(20, 40).to(x)",
        "nn.LSTM(20, 40).to(torch.device(d))",
        "nn.LSTM(20, 40).cuda('toaster')",
        "nn.LSTM(20, 40), nn.GRU(20, 40)",
        "nn.LSTM(20, 40); nn.GRU(20, 40)",
        "nn.LSTM(20, 40)\nnn.GRU(20, 40)",
        "[nn.LSTM(20, n) for n in (1, 2)]",
        "import os",
        "tf.keras.layers.LSTM(20, 40)",
        "nn.nn.LSTM(20, 40)",
        "torch.LSTM(20, 40)",
        "nn.nn.LSTM",
        "nn.lstm(20, 40)",
        "(lambda: nn).LSTM(20, 40)",
        "getattr(nn, 'LSTM')(20, 40)",
        "nn.LSTM(f'{20}', 40)",
        "nn.LSTM(b'20', 40)",
        "nn.LSTM(..., 40)",
        "nn.LSTM(20j, 40)",
        "nn.LSTM((-8)**0.5, 40)",
        "nn.LSTM([20], 40)",
        "nn.LSTM('a' * 3, 40)",
        "nn.LSTM('20' + '40', 40)",
        "nn.LSTM(20 if True else 30, 40)",
        "nn.LSTM(lambda: 20, 40)",
        "nn.LSTM(__import__('os').getpid(), 40)",
        "nn.LSTM(20, 2.0**5000)",
        "nn.LSTM(20, 1 << -1)",
        "nn.LSTM(20, 0**-1)",
        "nn.LSTM(20, 2**(10**400))",
        "nn.LSTM(20, 1e400 // 1)",
        "nn.LSTM(20, ~40)",
        "nn.LSTM(20, 40 @ 2)",
        "nn.LSTM(20, not 40)",
        "nn.LSTM(20, 40, **{})",
        "nn.LSTM(20, 40, device='toaster')",
        "nn.LSTM(20, 40, device=0)",
        "nn.LSTM(20, 40, device=torch.device(*'a'))",
        "nn.LSTM(20, 40, dtype=torch.int8)",
        "nn.LSTM(20, 40, dtype=np.float32)",
        "nn.LSTM(20, \0)",
        "\0",
        "\udc80",
        "nn.LSTM(20, 40, nonlinearity='\udc80')",
        "nn.LSTM(20, '\\d')",
        "1" * 9000,
        f"nn.LSTM(20, {'9' * 4301})",
        f"nn.LSTM(20, {'9' * 600})",
        f"nn.LSTM(20, {'(' * 300}1{')' * 300})",
        f"nn.LSTM(20, {'-' * 9000}1)",
        f"nn.LSTM(20, {'-' * 1500}1)",
        f"nn.LSTM(20, 1{'+1' * 4900})",
        f"nn{'.a' * 4900}.LSTM(20, 40)",
        f"nn.LSTM(20, f{'()' * 900})",
        f"{'[' * 190}{']' * 190}",
        f"nn.LSTM(20, {'not ' * 2400}1)",
        f"nn.LSTM(20, 40){' ' * 20_000}",
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_anything_else_is_refused(text: str) -> None:
    error = refused(text)
    assert error.problem
    assert len(error.problem) < 300
    assert error.hint


SNIPPETS = [
    *("nn.LSTM(", "GRU(", "torch.nn.RNNCell(", "20", "40", ",", ")", "(", "=", "hidden_size"),
    *("bias=", "True", "'relu'", "**", "*", "-", "<<", ".", "lambda:", "[", "]", "{", "}", "\n"),
    *("nonlinearity=", "dtype=torch.", "device=", "None", "9**9", " ", ";", "f'{", "\\", "\0", "#"),
]


@examples(500)
@given(st.text() | st.lists(st.sampled_from(SNIPPETS), max_size=25).map("".join))
def test_random_text_is_read_or_refused(text: str) -> None:
    reading(text)


@examples(300)
@given(valid_calls(), st.data())
def test_a_damaged_call_is_read_or_refused(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 4))
    damaged = text[:place] + data.draw(st.sampled_from(["", *SNIPPETS])) + text[place + cut :]
    reading(damaged)


def test_nothing_in_an_expression_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for payload in (
        f"__import__('os').system('touch {mark}')",
        f"open({str(mark)!r}, 'w')",
        f"(lambda: open({str(mark)!r}, 'w'))()",
        f"f'{{open({str(mark)!r}, \"w\")}}'",
    ):
        for text in (f"nn.LSTM({payload}, 3)", payload, f"nn.LSTM(20, 40, device={payload})"):
            refused(text)
            refused(f"x = {text}")
    assert not mark.exists()
    assert built.__doc__
    eval(f"open({str(mark)!r}, 'w').close()")  # noqa: S307 - this check can fail
    assert mark.exists()


@examples(300)
@given(
    st.recursive(
        st.integers(0, 50).map(str),
        lambda inner: st.tuples(
            inner, st.sampled_from(["+", "-", "*", "//", "/", "<<", "**"]), inner
        ).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        max_leaves=4,
    )
)
def test_arithmetic_is_that_of_python(text: str) -> None:
    parsed, problem = reading(f"nn.LSTM(20, {text})")
    if parsed is not None:
        assert parsed.config.hidden_size == eval(text)  # noqa: S307
    elif "digits" not in problem and "has no value" not in problem:
        value = eval(text)  # noqa: S307
        assert not isinstance(value, int) or value < 1, problem


@st.composite
def calls_of_numbers_and_flags(draw: st.DrawFn) -> str:
    """A call whose arguments are numbers and flags, right or wrong, in any order."""
    value = st.sampled_from(["0", "1", "2", "20", "40", "True", "False"])
    name = st.sampled_from([*FIELDS, "device", "size"])
    places = draw(st.lists(value, max_size=5))
    words = draw(st.lists(st.builds("{}={}".format, name, value), max_size=4))
    arguments = [*places, *words]
    arguments = draw(st.permutations(arguments)) if draw(st.integers(0, 9)) == 0 else arguments
    return f"{draw(st.sampled_from(list(CONSTRUCTORS)))}({', '.join(arguments)})"


@examples(500)
@given(calls_of_numbers_and_flags())
def test_a_plain_call_is_taken_as_pythons_parser_takes_it(text: str) -> None:
    """A blank at the end makes no difference, but such a call is not read the quick way."""
    assert _read(text) == _read(f"{text} ")


def _read(text: str) -> Target | str:
    try:
        return read_call(text)
    except RequestError as error:
        return error.hint  # the problem quotes the text, with its blank
