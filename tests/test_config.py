"""What may be asked for, and what a refusal says: the problem and what to do about it."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnshape import DType, InputSpec, Kind, RequestError, RNNConfig, Settings
from rnnshape.layer.config import MAX_SIZE
from rnnshape.layer.settings import dtype_named
from rnnshape.words import CALL, COMMAND, PYTHON, Words
from tests import reference
from tests.program import needs_pinned_torch
from tests.strategies import configs, examples

_DTYPES = (
    "float16, bfloat16, float32, float64, float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, "
    "float8_e5m2fnuz, float8_e8m0fnu, complex32, complex64, complex128"
)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"kind": Kind.LSTM, "proj_size": 39}, id="the widest projection"),
        pytest.param({"kind": Kind.LSTM, "hidden_size": 1}, id="the smallest hidden_size"),
        pytest.param({"kind": Kind.RNN, "nonlinearity": "relu"}, id="relu"),
        pytest.param({"kind": Kind.LSTM, "dropout": 0}, id="dropout 0, an int"),
        pytest.param({"kind": Kind.LSTM, "dropout": 1.0}, id="dropout 1"),
        pytest.param({"kind": Kind.LSTM, "dropout": 0.3}, id="dropout with one layer"),
    ],
)
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_a_layer_that_pytorch_builds_is_accepted(arguments: dict[str, Any]) -> None:
    config = RNNConfig(**arguments)
    assert {name: getattr(config, name) for name in arguments} == arguments
    reference.built(config)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"kind": Kind.GRU, "proj_size": 0}, id="no projection, said aloud"),
        pytest.param({"kind": Kind.LSTM, "hidden_size": MAX_SIZE}, id="500 zeros"),
    ],
)
def test_what_a_formula_can_count_is_accepted(arguments: dict[str, Any]) -> None:
    config = RNNConfig(**arguments)
    assert {name: getattr(config, name) for name in arguments} == arguments


def _size_refusal(name: str, value: str, *, least: int = 1) -> str:
    return f"{name} must be a whole number of {least} or more, not {value}"


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        pytest.param(
            {"hidden_size": 0},
            _size_refusal("hidden_size", "0"),
            "hidden_size counts features",
            id="hidden_size 0",
        ),
        pytest.param(
            {"input_size": -20},
            _size_refusal("input_size", "-20"),
            "input_size counts features",
            id="negative input_size",
        ),
        pytest.param(
            {"num_layers": 0},
            _size_refusal("num_layers", "0"),
            "num_layers counts stacked layers",
            id="no layers",
        ),
        pytest.param(
            {"hidden_size": True},
            _size_refusal("hidden_size", "True"),
            "hidden_size counts features",
            id="hidden_size True, which PyTorch takes for 1",
        ),
        pytest.param(
            {"hidden_size": 40.0},
            _size_refusal("hidden_size", "40.0"),
            "hidden_size counts features",
            id="hidden_size that is a float",
        ),
        pytest.param(
            {"proj_size": -1},
            _size_refusal("proj_size", "-1", least=0),
            "proj_size counts features",
            id="negative proj_size",
        ),
        pytest.param(
            {"hidden_size": MAX_SIZE + 1},
            "hidden_size has over 500 digits",
            "give a smaller number",
            id="more digits than Python prints",
        ),
        pytest.param(
            {"bidirectional": 1},
            "bidirectional must be True or False, not 1",
            "bidirectional=True",
            id="bidirectional 1, which PyTorch does not check",
        ),
        pytest.param(
            {"bias": None}, "bias must be True or False, not None", "bias=True", id="bias None"
        ),
        pytest.param(
            {"batch_first": "yes"},
            "batch_first must be True or False, not 'yes'",
            "batch_first=True",
            id="batch_first that is a word",
        ),
        pytest.param(
            {"dropout": 1.5},
            "dropout must be a probability from 0 to 1, not 1.5",
            "dropout=0.2",
            id="dropout above 1",
        ),
        pytest.param(
            {"dropout": -0.1},
            "dropout must be a probability from 0 to 1, not -0.1",
            "dropout=0.2",
            id="dropout below 0",
        ),
        pytest.param(
            {"dropout": float("nan")},
            "dropout must be a probability from 0 to 1, not nan",
            "dropout=0.2",
            id="dropout that is no number",
        ),
        pytest.param(
            {"dropout": True},
            "dropout must be a probability from 0 to 1, not True",
            "dropout=0.2",
            id="dropout True",
        ),
        pytest.param(
            {"dropout": "0.2"},
            "dropout must be a probability from 0 to 1, not '0.2'",
            "dropout=0.2",
            id="dropout that is a word",
        ),
        pytest.param(
            {"proj_size": 40},
            "proj_size 40 must be smaller than hidden_size 40",
            "proj_size=31 is the largest that saves parameters; leave it out for no projection",
            id="proj_size as large as hidden_size",
        ),
        pytest.param(
            {"hidden_size": 1, "proj_size": 2},
            "proj_size 2 must be smaller than hidden_size 1",
            "proj_size=0: no projection saves parameters here",
            id="proj_size where none can save",
        ),
        pytest.param(
            {"kind": Kind.GRU, "proj_size": 10},
            "nn.GRU has no proj_size; only nn.LSTM has one",
            "kind='LSTM', proj_size=10",
            id="proj_size of a GRU",
        ),
        pytest.param(
            {"kind": Kind.RNN, "proj_size": 10},
            "nn.RNN has no proj_size; only nn.LSTM has one",
            "kind='LSTM', proj_size=10",
            id="proj_size of an RNN",
        ),
        pytest.param(
            {"nonlinearity": "relu"},
            "nn.LSTM has no nonlinearity; only nn.RNN has one",
            "kind='RNN', nonlinearity='relu'",
            id="nonlinearity of an LSTM",
        ),
        pytest.param(
            {"kind": Kind.GRU, "nonlinearity": "tanh"},
            "nn.GRU has no nonlinearity; only nn.RNN has one",
            "kind='RNN', nonlinearity='tanh'",
            id="nonlinearity of a GRU",
        ),
        pytest.param(
            {"kind": Kind.RNN, "nonlinearity": "gelu"},
            "nonlinearity 'gelu' is neither tanh nor relu",
            "nonlinearity='relu'",
            id="unknown nonlinearity",
        ),
    ],
)
def test_a_layer_is_refused_with_the_problem_and_what_to_do(
    arguments: dict[str, Any], problem: str, hint: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        RNNConfig(**{"kind": Kind.LSTM, **arguments})
    assert (refusal.value.problem, refusal.value.hint) == (problem, hint)
    assert str(refusal.value) == f"{problem} ({hint})"


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        pytest.param(
            {"seq_len": 0},
            _size_refusal("seq_len", "0"),
            "seq_len counts steps",
            id="no steps, which PyTorch refuses",
        ),
        pytest.param(
            {"batch_size": -1},
            _size_refusal("batch_size", "-1", least=0),
            "batch_size counts sequences",
            id="negative batch",
        ),
        pytest.param(
            {"batch_size": False},
            _size_refusal("batch_size", "False", least=0),
            "batch_size counts sequences",
            id="batch_size False",
        ),
        pytest.param(
            {"batched": 0}, "batched must be True or False, not 0", "batched=True", id="batched 0"
        ),
        pytest.param(
            {"with_state": "zeros"},
            "with_state must be True or False, not 'zeros'",
            "with_state=True",
            id="with_state that is a word",
        ),
        pytest.param(
            {"seq_len": 10**501},
            "seq_len has over 500 digits",
            "give a smaller number",
            id="more digits than Python prints",
        ),
    ],
)
def test_an_input_is_refused_with_the_problem_and_what_to_do(
    arguments: dict[str, Any], problem: str, hint: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        InputSpec(**arguments)
    assert (refusal.value.problem, refusal.value.hint) == (problem, hint)


def test_an_empty_batch_is_an_input() -> None:
    assert InputSpec(batch_size=0, seq_len=10).steps == 0


def test_an_input_without_a_batch_axis_is_one_sequence() -> None:
    unbatched = InputSpec(batch_size=7, seq_len=10, batched=False)
    assert (unbatched.batch_size, unbatched.steps) == (1, 10)


def test_a_cell_is_applied_once_a_step_and_sequence() -> None:
    assert InputSpec(batch_size=5, seq_len=10).steps == 50


@pytest.mark.parametrize("device", ["cpu", "cpu:0", "cuda", "cuda:1", "mps", "mps:0", "xpu:3"])
def test_a_device_is_named_as_pytorch_names_it(device: str) -> None:
    assert torch.device(Settings(device=device).device).type == device.partition(":")[0]


@pytest.mark.parametrize(
    ("device", "problem", "hint"),
    [
        *(
            pytest.param(
                name,
                f"unknown device {name!r}",
                f"device={meant!r}",
                id=label,
            )
            for name, meant, label in [
                ("gpu", "cuda", "a word that PyTorch does not know"),
                ("GPU:1", "cuda:1", "the same with a number"),
                ("CPU", "cpu", "capitals"),
                ("cuda1", "cuda:1", "no colon"),
                ("cuda:", "cuda", "a colon without a number"),
            ]
        ),
        *(
            pytest.param(
                name,
                f"unknown device {name!r}",
                "one of cpu, cuda, cuda:1, mps, xpu, meta",
                id=label,
            )
            for name, label in [
                ("tpu", "a device that PyTorch does not have"),
                ("", "nothing"),
                ("cuda:-1", "a negative number"),
                ("cuda:10000", "five digits"),
                ("cuda:\u0661", "a digit that is not ASCII"),
                ("cpu\n", "a line end"),
            ]
        ),
        pytest.param(
            "cpu:1",
            "device cpu:1: there is only one cpu device",
            "device='cpu'",
            id="a second CPU, which PyTorch accepts",
        ),
        pytest.param(
            "meta:2",
            "device meta:2: there is only one meta device",
            "device='meta'",
            id="a third meta device",
        ),
        pytest.param(
            "mps:1",
            "device mps:1: there is only one mps device",
            "device='mps'",
            id="a second MPS device",
        ),
    ],
)
def test_a_device_is_refused_with_the_problem_and_what_to_do(
    device: str, problem: str, hint: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        Settings(device=device)
    assert (refusal.value.problem, refusal.value.hint) == (problem, hint)


@pytest.mark.parametrize("name", ["LSTM", "lstm", "Lstm"])
def test_a_kind_is_taken_by_its_name(name: Any) -> None:
    config = RNNConfig(kind=name, proj_size=3)
    assert config == RNNConfig(kind=Kind.LSTM, proj_size=3)
    assert config.kind is Kind.LSTM


@pytest.mark.parametrize(
    ("kind", "problem", "hint"),
    [
        ("LTSM", "kind 'LTSM' is not one of LSTM, GRU, RNN", "kind='LSTM'"),
        ("gruu", "kind 'gruu' is not one of LSTM, GRU, RNN", "kind='GRU'"),
        (None, "kind None is not one of LSTM, GRU, RNN", "kind='LSTM'"),
        (3, "kind 3 is not one of LSTM, GRU, RNN", "kind='LSTM'"),
    ],
)
def test_what_is_not_a_kind_is_refused(kind: Any, problem: str, hint: str) -> None:
    with pytest.raises(RequestError) as refusal:
        RNNConfig(kind=kind)
    assert (refusal.value.problem, refusal.value.hint) == (problem, hint)


@pytest.mark.parametrize("device", ["cuda:1", torch.device("cuda", 1)], ids=repr)
def test_a_device_is_taken_as_pytorch_takes_it(device: Any) -> None:
    assert Settings(device=device) == Settings(device="cuda:1")
    assert type(Settings(device=device).device) is str


@pytest.mark.parametrize("dtype", ["float16", "half", "torch.float16", torch.float16])
def test_a_dtype_is_taken_by_its_name_or_as_pytorchs_own(dtype: Any) -> None:
    assert Settings(dtype=dtype).dtype is DType.FLOAT16


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        pytest.param(
            {"device": 3},
            "device must be a name or a torch.device, not 3",
            "device='cpu'",
            id="a device by its number",
        ),
        pytest.param(
            {"device": None},
            "device must be a name or a torch.device, not None",
            "device='cpu'",
            id="no device",
        ),
        pytest.param(
            {"dtype": float},
            "dtype must be a name or a torch.dtype, not <class 'float'>",
            "dtype='float32'",
            id="Python's float",
        ),
        pytest.param(
            {"dtype": torch.int64},
            "dtype torch.int64 is not floating-point or complex, as a layer's weights must be",
            f"one of {_DTYPES}",
            id="integers",
        ),
    ],
)
def test_other_settings_are_refused(arguments: dict[str, Any], problem: str, hint: str) -> None:
    with pytest.raises(RequestError) as refusal:
        Settings(**arguments)
    assert (refusal.value.problem, refusal.value.hint) == (problem, hint)


@pytest.mark.parametrize("lengths", [[7, 3, 2], torch.tensor([7, 3, 2]), range(7, 4, -1)], ids=repr)
def test_lengths_are_taken_as_pytorch_takes_them(lengths: Any) -> None:
    spec = InputSpec(batch_size=3, seq_len=7, lengths=lengths)
    assert spec.lengths == tuple(map(int, lengths))
    assert hash(spec) == hash(InputSpec(batch_size=3, seq_len=7, lengths=spec.lengths))


@pytest.mark.parametrize(
    ("lengths", "problem", "hint"),
    [
        (
            (7, 3, 2),
            "3 lengths do not fit batch 5",
            "give one length for each row: batch_size=3",
        ),
        (
            "7,3,2",
            "lengths must be whole numbers, one for each row, not '7,3,2'",
            "lengths=(7, 3, 2)",
        ),
        ([7.5], "lengths must be whole numbers, one for each row, not [7.5]", "lengths=(7, 3, 2)"),
        (7, "lengths must be whole numbers, one for each row, not 7", "lengths=(7, 3, 2)"),
        ([True] * 5, _size_refusal("length", "True"), "length counts steps"),
    ],
    ids=["another batch", "text", "no whole number", "a number", "bools"],
)
def test_other_lengths_are_refused(lengths: Any, problem: str, hint: str) -> None:
    with pytest.raises(RequestError) as refusal:
        InputSpec(lengths=lengths)
    assert (refusal.value.problem, refusal.value.hint) == (problem, hint)


@needs_pinned_torch
@pytest.mark.parametrize("dtype", DType, ids=lambda dtype: dtype.value)
def test_a_dtype_is_pytorchs_own(dtype: DType) -> None:
    own: torch.dtype = getattr(torch, dtype.value)
    assert dtype.itemsize == own.itemsize
    assert dtype_named(str(own)) is dtype_named(dtype.value) is dtype


@pytest.mark.parametrize("name", ["half", "float", "double", "chalf", "cfloat", "cdouble"])
def test_a_short_name_of_a_dtype_means_what_it_means_to_pytorch(name: str) -> None:
    own: torch.dtype = getattr(torch, name)
    assert f"torch.{dtype_named(name).value}" == str(own)
    assert dtype_named(f"torch.{name}") is dtype_named(name)


@needs_pinned_torch
def test_no_dtype_that_a_layer_can_have_is_left_out() -> None:
    own = {value for value in vars(torch).values() if isinstance(value, torch.dtype)}
    packed = {"torch.float4_e2m1fn_x2"}  # two numbers in one element: no layer has such weights
    layers = {str(d) for d in own if d.is_floating_point or d.is_complex} - packed
    assert layers == {f"torch.{dtype.value}" for dtype in DType}


@pytest.mark.parametrize(
    "name", ["int64", "uint8", "int", "long", "short", "bool", "qint8", "quint4x2", "bits8"]
)
def test_an_integer_dtype_is_refused_as_one(name: str) -> None:
    assert isinstance(getattr(torch, name), torch.dtype)
    with pytest.raises(RequestError) as refusal:
        dtype_named(name)
    assert refusal.value.problem == (
        f"dtype {name} is not floating-point or complex, as a layer's weights must be"
    )
    assert refusal.value.hint == f"one of {_DTYPES}"


def test_int8_is_refused_with_what_knows_its_bytes() -> None:
    with pytest.raises(RequestError) as refusal:
        dtype_named("int8")
    assert refusal.value.hint == f"one of {_DTYPES}; cost has the bytes of int8 and 4-bit weights"


@pytest.mark.parametrize("name", ["float31", "", "Float32", "torch.", "numpy.float32"])
def test_an_unknown_dtype_is_refused(name: str) -> None:
    with pytest.raises(RequestError) as refusal:
        dtype_named(name)
    assert refusal.value.problem == f"unknown dtype {name!r}"
    assert refusal.value.hint == f"one of {_DTYPES}"


@pytest.mark.parametrize(
    ("config", "constructor"),
    [
        pytest.param(RNNConfig(kind=Kind.LSTM), "nn.LSTM(20, 40)", id="nothing but sizes"),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True),
            "nn.LSTM(20, 40, num_layers=4, bidirectional=True)",
            id="keywords, since the fourth position is bias",
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, nonlinearity="tanh"), "nn.RNN(20, 40)", id="tanh, the default"
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, nonlinearity="relu", bias=False),
            "nn.RNN(20, 40, nonlinearity='relu', bias=False)",
            id="relu, which PyTorch's repr hides",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, proj_size=10, dropout=0.5, batch_first=True),
            "nn.LSTM(20, 40, batch_first=True, dropout=0.5, proj_size=10)",
            id="projection",
        ),
    ],
)
def test_the_constructor_names_what_is_not_the_default(config: RNNConfig, constructor: str) -> None:
    assert config.constructor == constructor


@examples(150)
@given(configs(largest=9, layers=4), st.floats(0, 1))
@pytest.mark.filterwarnings("ignore:dropout option adds dropout:UserWarning")
def test_the_constructor_evaluates_to_the_layer(config: RNNConfig, dropout: float) -> None:
    asked = dataclasses.replace(config, dropout=dropout)
    layer = eval(asked.constructor, {"nn": torch.nn})  # noqa: S307
    assert type(layer).__name__ == asked.kind.value
    read = {
        field.name: getattr(layer, field.name)
        for field in dataclasses.fields(asked)
        if field.name not in ("kind", "cell", "nonlinearity")
    }
    nonlinearity = getattr(layer, "nonlinearity", None)
    assert RNNConfig(kind=asked.kind, nonlinearity=nonlinearity, **read) == asked


@examples(100)
@given(configs())
def test_gates_directions_and_output_size_are_those_of_pytorch(config: RNNConfig) -> None:
    layer = reference.built(config)
    assert layer.weight_hh_l0.shape == (config.kind.gates * config.hidden_size, config.output_size)
    assert len(config.kind.gate_names) == config.kind.gates
    assert hasattr(layer, "weight_ih_l0_reverse") == (config.directions == 2)


def test_what_was_asked_for_cannot_be_changed_afterwards() -> None:
    config = RNNConfig(kind=Kind.LSTM)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden_size = 50  # type: ignore[misc]


def test_a_hint_is_written_for_whoever_gives_the_values() -> None:
    with pytest.raises(RequestError) as refusal:
        RNNConfig(kind=Kind.LSTM, proj_size=40)
    problem = "line 3: proj_size 40 must be smaller than hidden_size 40"
    rest = "is the largest that saves parameters; leave it out for no projection"
    error = refusal.value.behind("line 3")
    assert (error.problem, error.hint) == (problem, f"proj_size=31 {rest}")
    manifest = Words(input="key", keys={"proj_size": "proj"})
    for words, written in (
        (PYTHON, "proj_size=31"),
        (CALL, "proj_size=31"),
        (COMMAND, "--proj 31"),
        (manifest, "proj = 31"),
    ):
        assert error.message(words) == (problem, f"{written} {rest}")


def test_a_hint_that_names_a_field_alone_names_it_as_each_front_end_does() -> None:
    error = RequestError(
        "{lengths:name} is wrong",
        hint="{batch_size}, or {lengths:name}",
        batch_size=3,
        lengths=(3, 2),
    )
    manifest = Words(input="key", keys={"batch_size": "batch", "lengths": "rows"})
    assert error.message(PYTHON) == ("lengths is wrong", "batch_size=3, or lengths")
    assert error.message(CALL) == ("--lengths is wrong", "--batch 3, or --lengths")
    assert error.message(manifest) == ("rows is wrong", "batch = 3, or rows")


def test_braces_of_what_was_given_are_not_taken_for_fields() -> None:
    error = RequestError("'{seq_len}' is not a size", hint="{batch_size}", batch_size=3)
    assert error.message(COMMAND) == ("'{seq_len}' is not a size", "--batch 3")


BRACES = ("{name}", "{name:name}", "{}", "{0}", "{{name}}")


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("kind", lambda text: RNNConfig(kind=text)),
        ("dropout", lambda text: RNNConfig(kind=Kind.LSTM, dropout=text)),
        ("nonlinearity", lambda text: RNNConfig(kind=Kind.RNN, nonlinearity=text)),
        ("lengths", lambda text: InputSpec(lengths=(text,))),
        ("hidden_size", lambda text: RNNConfig(kind=Kind.LSTM, hidden_size=text)),
        ("device", lambda text: Settings(device=text)),
        ("dtype", lambda text: Settings(dtype=text)),
    ],
)
def test_braces_in_any_argument_are_repeated_as_they_were_given(
    field: str, make: Callable[[Any], object]
) -> None:
    for braces in BRACES:
        text = braces.replace("name", field)
        with pytest.raises(RequestError) as refusal:
            make(text)
        error = refusal.value
        for each in (error, error.behind(text), pickle.loads(pickle.dumps(error.behind(text)))):  # noqa: S301
            for words in (PYTHON, COMMAND, CALL):
                assert repr(text) in each.message(words).problem
        assert error.behind(text).problem == f"{text}: {error.problem}"


@pytest.mark.parametrize(
    ("field", "value", "typed"),
    [
        ("kind", "GRU", "rnnshape gru"),
        ("num_layers", 2, "--layers 2"),
        ("dropout", 0.2, "--dropout 0.2"),
        ("bidirectional", True, "--bidir"),
        ("cell", False, "leave --cell out"),
        ("proj_size", 0, "leave --proj out"),
        ("run", False, "--no-run"),
        ("bias", False, "--no-bias"),
    ],
)
def test_a_field_is_written_as_its_option(field: str, value: object, typed: str) -> None:
    assert COMMAND.field(field, value) == typed


@pytest.mark.parametrize("arguments", [{"device": "gpu"}, {"device": "mps:1"}], ids=str)
def test_a_refusal_keeps_its_problem_and_hint_through_pickle(arguments: dict[str, str]) -> None:
    with pytest.raises(RequestError) as refusal:
        Settings(**arguments)  # type: ignore[arg-type]
    again = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301
    assert (type(again), str(again)) == (RequestError, str(refusal.value))
    assert (again.problem, again.hint) == (refusal.value.problem, refusal.value.hint)


class Unwritable:
    """What has no text."""

    def __repr__(self) -> str:
        raise RuntimeError


ODD: dict[str, Any] = {
    "too many digits to write": -(10**5000),
    "so many digits in a list": [10**5000],
    "an object whose repr fails": Unwritable(),
    "a long word": "x" * 10_000,
    "bytes": b"lstm",
    "a tensor of several": torch.zeros(3),
    "a tensor of none": torch.zeros(0),
    "a tensor without values": torch.empty(3, device="meta"),
    "an imaginary number": 1j,
    "a class": Kind,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    ("made", "field"),
    [
        (made, field.name)
        for made in (RNNConfig, InputSpec, Settings)
        for field in dataclasses.fields(made)
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_whatever_is_no_value_is_refused_on_one_short_line(
    made: Any, field: str, value: Any
) -> None:
    with pytest.raises(RequestError) as refusal:
        made(**{"kind": Kind.RNN, field: value} if made is RNNConfig else {field: value})
    assert len(refusal.value.problem) < 150
    assert len(refusal.value.hint) < 250
    assert str(refusal.value).isprintable()


def test_a_number_that_cannot_be_written_is_told_by_its_type() -> None:
    with pytest.raises(RequestError) as refusal:
        RNNConfig(kind=Kind.LSTM, hidden_size=-(10**5000))
    assert refusal.value.problem == _size_refusal(
        "hidden_size", "a value of type int that cannot be printed"
    )
