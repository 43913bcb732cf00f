"""The programs of --to: each is run with the library that it is for, or with its equations."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnshape.analysis.frameworks.counterparts import Counterpart, counterparts_in
from rnnshape.analysis.frameworks.registry import NAMES, framework
from rnnshape.layer.config import Kind, Nonlinearity, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import Subject
from tests.program import call
from tests.strategies import examples
from tests.test_errors import two_lines

np: Any = pytest.importorskip("numpy")

# PyTorch's own, about dropout of one layer and projections; JAX's and onnxruntime's.
pytestmark = pytest.mark.filterwarnings("ignore")

_LIBRARIES: Final = {"keras": "keras", "linen": "flax", "nnx": "flax", "onnx": "onnxruntime"}
RUN: Final = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(library) is None, reason=f"needs {library}"
        ),
    )
    for name, library in _LIBRARIES.items()
]
DOCUMENTED: Final = [name for name in NAMES if name not in _LIBRARIES]
_WIDTHS: Final = st.integers(1, 5)


@st.composite
def _configs(draw: st.DrawFn) -> RNNConfig:
    """Layers of every kind, few and small, since each takes a program to run."""
    kind = draw(st.sampled_from(Kind))
    cell = draw(st.sampled_from([False] * 7 + [True]))
    choices: list[Nonlinearity] = ["tanh", "relu"]
    nonlinearity = draw(st.sampled_from(choices)) if kind is Kind.RNN else None
    config = RNNConfig(
        kind=kind,
        cell=cell,
        input_size=draw(_WIDTHS),
        hidden_size=draw(_WIDTHS),
        bias=draw(st.booleans()),
        nonlinearity=nonlinearity,
    )
    if cell:
        return config
    return replace(
        config,
        num_layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.5])),
    )


def _rows(name: str, config: RNNConfig) -> list[Counterpart]:
    spec = InputSpec(batch_size=2, seq_len=4)
    return counterparts_in(name, Subject(config=config, input_spec=spec))


def _run(program: list[str]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec("\n".join(program), names)  # noqa: S102 - the program is under test
    return names


def _output(module: nn.Module, x: torch.Tensor) -> Any:
    return module(x)[0].detach().numpy()


def _value(expression: str, **names: Any) -> Any:
    return eval(expression, names)  # noqa: S307 - the expression is under test


close = partial(np.testing.assert_allclose, atol=1e-5)


def test_every_framework_is_run_or_documented() -> None:
    assert {name for name in NAMES if framework(name).runs} == set(_LIBRARIES)


@pytest.mark.parametrize("name", RUN)
@examples(10)
@given(_configs())
def test_the_library_computes_what_pytorch_does_both_ways(name: str, config: RNNConfig) -> None:
    for row in _rows(name, config):
        program = row.program
        assert bool(program) is not (row.port is not None and row.port.other)
        if not program:
            continue
        names = _run(program)
        assert names["theirs"].std() > 0 or config.nonlinearity == "relu"
        close(names["theirs"], _output(names["back"], names["x"]))
        assert row.port is not None
        if row.port.exact:
            close(names["theirs"], _output(names["layer"], names["x"]))
        # The arrays of the library have the names, the shapes and the number of elements shown.
        total = sum(a.size for one in names["layers"] for arrays in one for a in arrays.values())
        assert total == row.parameters
        wide = row.port.scope == "layer"
        for array in row.arrays:
            for layer in array.layers:
                for arrays in names["layers"][layer]:
                    outer = (len(names["layers"][layer]),) if wide else ()
                    assert (*outer, *arrays[array.name].shape) == array.shape


@pytest.mark.parametrize("name", DOCUMENTED)
@examples(40)
@given(_configs(), st.integers(0, 4))
def test_the_equations_of_the_documentation_compute_what_pytorch_does(
    name: str, config: RNNConfig, proj_size: int
) -> None:
    from tests import foreign_cells

    if config.kind is Kind.LSTM and not config.cell and proj_size < config.hidden_size:
        config = replace(config, proj_size=proj_size)
    for row in _rows(name, config)[:1]:
        if not row.program:
            assert row.port is not None
            assert not row.port.exact
            continue
        names = _run(row.program)
        x = torch.randn(4, 2, config.input_size)
        given_ = x.transpose(0, 1) if config.batch_first else x
        found = foreign_cells.output(name, config, names["layers"], x.numpy())
        found = found.swapaxes(0, 1) if config.batch_first else found
        close(found, _output(names["layer"], given_))
        close(found, _output(names["back"].eval(), given_))


@pytest.mark.parametrize("cell", [False, True])
@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_a_layer_of_another_dtype_is_converted_in_float32(
    name: str, dtype: str, cell: bool
) -> None:
    config = RNNConfig(kind=Kind.LSTM, cell=cell, input_size=3, hidden_size=4)
    settings = Settings(dtype=DType(dtype))
    subject = Subject(config=config, input_spec=InputSpec(), settings=settings)
    names = _run(counterparts_in(name, subject)[0].program)
    if cell:
        assert names["cell"].weight_ih.dtype is getattr(torch, dtype)
    x = torch.randn(4, 2, 3)
    close(_output(names["layer"], x), _output(names["back"].eval(), x))


@pytest.mark.parametrize("target", ["lstm", "inspect gru"])
def test_complex_weights_are_converted_to_no_framework(target: str) -> None:
    result = call(*target.split(), "--no-run", "--dtype", "complex64", "--to", "keras")
    assert two_lines(result) == (
        "--to keras converts real numbers, but the dtype is complex64",
        "leave --to out",
    )


@pytest.mark.parametrize("name", RUN)
def test_a_program_that_reorders_wrongly_fails(name: str) -> None:
    kind = Kind.GRU if name in ("keras", "onnx", "linen") else Kind.LSTM
    program = _rows(name, RNNConfig(kind=kind, input_size=3, hidden_size=4))[0].program
    text = "\n".join(program)
    before, return_, after = text.partition("return {\n")
    wrong = after.replace("weight_hh", "-weight_hh", 1)
    with pytest.raises((AssertionError, KeyError)):
        _run([before + return_ + wrong.replace("rows(-", "-rows(")])


def test_cudnns_buffer_has_all_matrices_before_all_biases() -> None:
    config = RNNConfig(
        kind=Kind.LSTM, input_size=3, hidden_size=4, num_layers=2, bidirectional=True, proj_size=2
    )
    names = _run(_rows("cudnn", config)[0].program)
    layer = names["layer"]
    matrices = [w for w in layer.parameters() if w.dim() == 2]
    biases = [w for w in layer.parameters() if w.dim() == 1]
    flat = torch.cat([w.detach().reshape(-1) for w in (*matrices, *biases)])
    assert torch.equal(torch.from_numpy(names["buffer"]), flat)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_pytorch_lays_its_weights_out_in_cudnns_order_on_a_gpu(kind: Kind) -> None:
    config = RNNConfig(kind=kind, input_size=3, hidden_size=4, num_layers=2, bidirectional=True)
    names = _run(_rows("cudnn", config)[0].program)
    on_gpu = names["layer"].cuda()
    on_gpu.flatten_parameters()
    storage = on_gpu.weight_ih_l0.detach().untyped_storage()
    whole = torch.empty(0, device="cuda").set_(storage)[: names["buffer"].size]
    close(whole.cpu().numpy(), names["buffer"])


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs keras")
def test_a_hidden_size_of_1_without_bias_is_the_same_in_the_papers_cell() -> None:
    config = RNNConfig(kind=Kind.GRU, input_size=3, hidden_size=1, bias=False)
    row = _rows("keras", config)[1]
    assert row.layer == "GRU(reset_after=False)"
    names = _run(row.program)
    assert names["model"].layers[0].reset_after is False
    close(names["theirs"], _output(names["layer"], names["x"]))


def test_the_papers_cell_is_another_for_other_sizes() -> None:
    """The equations with the reset gate before the product, for the weights of an nn.GRU."""
    layer: Any = nn.GRU(3, 2, bias=False)
    x = torch.randn(1, 1, 3)
    h = torch.randn(1, 1, 2)
    w_ih, w_hh = layer.weight_ih_l0, layer.weight_hh_l0
    r, z, x_n = (x[0] @ w_ih.T).chunk(3, 1)
    r_h, z_h, _ = (h[0] @ w_hh.T).chunk(3, 1)
    r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
    n = torch.tanh(x_n + (r * h[0]) @ w_hh[4:].T)
    paper = (1 - z) * n + z * h[0]
    assert not torch.allclose(layer(x, h)[0][0], paper, atol=1e-4)


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs keras")
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_kerass_tensors_have_the_shapes_and_the_values_shown(kind: Kind) -> None:
    config = RNNConfig(kind=kind, input_size=3, hidden_size=4, bidirectional=True)
    row = _rows("keras", config)[0]
    names = _run(row.program)
    keras, x = names["keras"], names["x"]
    one = getattr(keras.layers, row.layer)(4, return_sequences=True, return_state=True)
    both = keras.layers.Bidirectional(one)
    both(x.transpose(0, 1))
    both.set_weights(names["model"].get_weights())
    output, *states = map(keras.ops.convert_to_numpy, both(x.transpose(0, 1)))
    with torch.no_grad():
        ours, finals = names["layer"](x)
    own = {"output": ours, "input": x, "h_n": finals}
    if kind is Kind.LSTM:
        own |= {"h_n": finals[0], "c_n": finals[1]}
    shown = {tensor.name: tensor for tensor in row.tensors}
    assert shown["input"].shape == tuple(_value(shown["input"].pytorch, **own).shape)
    close(output, _value(shown["output"].pytorch, **own))
    per_direction = len(states) // 2
    for number, state in enumerate(states):
        tensor = shown[("state_h", "state_c")[number % per_direction]]
        assert tensor.shape == state.shape
        close(state, _value(tensor.pytorch, **own, d=number // per_direction))


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs onnxruntime")
@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_onnxs_tensors_have_the_shapes_and_the_values_shown(kind: Kind, ways: int) -> None:
    config = RNNConfig(
        kind=kind, input_size=3, hidden_size=4, num_layers=2, bidirectional=ways == 2
    )
    row = _rows("onnx", config)[0]
    names = _run(row.program)
    model = names["model"]
    outputs = [name for node in model.graph.node for name in node.output if name[0] == "Y"]
    for name in outputs:
        model.graph.output.append(names["value"](name) if name.startswith("Y_") else _any(name))
    session = names["onnxruntime"].InferenceSession(model.SerializeToString())
    results = dict(zip(outputs, session.run(outputs, {"X0": names["x"].numpy()}), strict=True))
    with torch.no_grad():
        output, finals = names["layer"](names["x"])
    own: dict[str, Any] = {"output": output, "h_n": finals}
    if kind is Kind.LSTM:
        own |= {"h_n": finals[0], "c_n": finals[1]}
    shown = {tensor.name: tensor for tensor in row.tensors}
    for name, value in results.items():
        stem, n = name[:-1], int(name[-1])
        assert shown[stem].shape == value.shape
        if stem != "Y":
            close(value, _value(shown[stem].pytorch, **own, n=n))
    left, _, right = shown["Y"].pytorch.partition(" == ")
    close(_value(left, **own), _value(right, Y=torch.from_numpy(results["Y1"])))


def _any(name: str) -> Any:
    from onnx import TensorProto, helper  # type: ignore[import-not-found, unused-ignore]

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
