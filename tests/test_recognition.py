"""Weights to config: what PyTorch's own modules hold is recognised, and nothing else is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.ao.nn import quantizable
from torch.nn.utils import parametrizations, parametrize, prune

from rnnshape import Kind, RNNConfig
from rnnshape.layer.facts import Dims
from rnnshape.layer.inference import infer
from rnnshape.layer.recognition import Recognised, Recognition
from rnnshape.layer.state_dict import recognise, shapes_of
from tests import reference
from tests.strategies import cells, configs, examples, layers

LSTM = RNNConfig(kind=Kind.LSTM, input_size=20, hidden_size=40, num_layers=2)
SHAPES: dict[str, Dims] = {
    "weight_ih_l0": (160, 20),
    "weight_hh_l0": (160, 40),
    "bias_ih_l0": (160,),
    "bias_hh_l0": (160,),
    "weight_ih_l1": (160, 40),
    "weight_hh_l1": (160, 40),
    "bias_ih_l1": (160,),
    "bias_hh_l1": (160,),
}
PREFIXES = ("", "rnn", "module.encoder.lstm", "_orig_mod.0", "layers.0.cell", "gru_f", "fwd")
TORCH = "torch.nn.modules.rnn"
quantization: Any = torch.ao.quantization


def built(config: RNNConfig, **where: Any) -> nn.Module:
    """PyTorch's layer or cell."""
    if not config.cell:
        layer: nn.Module = reference.built(config, **where)
        return layer
    nonlinearity = {"nonlinearity": config.nonlinearity} if config.kind is Kind.RNN else {}
    cell: nn.Module = getattr(nn, config.class_name.removeprefix("nn."))(
        config.input_size, config.hidden_size, bias=config.bias, **nonlinearity, **where
    )
    return cell


def held(config: RNNConfig) -> dict[str, Dims]:
    """The names and shapes that PyTorch's layer or cell has."""
    return shapes_of(built(config, device="meta").state_dict())


def prefixed(shapes: Mapping[str, Dims], prefix: str) -> dict[str, Dims]:
    return {f"{prefix}.{name}" if prefix else name: shape for name, shape in shapes.items()}


def told(config: RNNConfig) -> RNNConfig:
    """The config with the defaults of what weights do not tell."""
    return replace(config, batch_first=False, dropout=0.0, nonlinearity=None)


def only(recognition: Recognition) -> Recognised:
    assert not recognition.failures
    (layer,) = recognition.layers
    return layer


def problem(shapes: Mapping[str, Dims], attributes: Any = None) -> str:
    recognition = recognise(shapes, attributes)
    assert not recognition.layers
    (failure,) = recognition.failures
    return failure.problem


@given(config=layers(), prefix=st.sampled_from(PREFIXES))
@examples(1_000)
def test_a_layer_is_recognised_by_the_names_and_shapes_of_its_weights(
    config: RNNConfig, prefix: str
) -> None:
    shapes = prefixed(held(config), prefix)
    beside = {"embed.weight": (7, 5), "lstm_weight_hh_l0": (4, 1)}
    layer = only(recognise({**beside, **shapes} if prefix else shapes))
    assert layer.name == prefix
    assert layer.config == told(config)
    assert dict(layer.shapes) == shapes
    unknown = {"nonlinearity"} if config.kind is Kind.RNN else set()
    assert layer.unknown == unknown | (set() if config.cell else {"batch_first", "dropout"})
    assert not layer.departures


@given(several=st.lists(layers(largest=6), min_size=2, max_size=5))
@examples(100)
def test_layers_of_one_model_are_recognised_in_their_order(several: list[RNNConfig]) -> None:
    shapes: dict[str, Dims] = {}
    for number, config in enumerate(several):
        shapes |= prefixed(held(config), f"layers.{number}")
    recognition = recognise(shapes)
    assert [layer.name for layer in recognition.layers] == [
        f"layers.{number}" for number in range(len(several))
    ]
    assert [layer.config for layer in recognition.layers] == [told(each) for each in several]


@given(config=layers(largest=6), data=st.data())
@examples(1_000)
def test_whatever_is_recognised_in_changed_weights_has_exactly_these_weights(
    config: RNNConfig, data: st.DataObject
) -> None:
    shapes = held(config)
    for _ in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from([*shapes, "weight_ih_l3", "weight_hr_l0", "bias_hh"]))
        if data.draw(st.booleans()):
            shapes.pop(name, None)
        else:
            shapes[name] = tuple(data.draw(st.lists(st.integers(0, 25), max_size=3)))
        if not shapes:
            return
    recognition = recognise(shapes)
    for layer in recognition.layers:
        assert dict(layer.shapes) == held(layer.config)
    beyond = set(shapes) - {"weight_hr"} - {n for layer in recognition.layers for n in layer.shapes}
    assert bool(beyond) == bool(recognition.failures)


@given(config=configs(largest=6), data=st.data())
@examples(300)
def test_any_part_of_the_weights_tells_the_truth(config: RNNConfig, data: st.DataObject) -> None:
    shapes = held(config)
    some = {name: shape for name, shape in shapes.items() if data.draw(st.booleans())}
    inference = infer(some)
    assert not inference.problem
    for name, value in inference.values.items():
        assert getattr(config, name) == value, name
    if any(name.startswith("weight_hh") for name in some):
        assert {"kind", "hidden_size", "proj_size"} <= set(inference.values)


def test_two_weights_of_an_error_message_tell_what_they_can() -> None:
    values = infer({"weight_ih_l0": (256, 20), "weight_hh_l0": (256, 64)}).values
    assert values == {
        "kind": Kind.LSTM,
        "cell": False,
        "input_size": 20,
        "hidden_size": 64,
        "proj_size": 0,
    }
    assert infer({"weight_hh_l1_reverse": None}).values == {"cell": False, "bidirectional": True}
    assert infer({"weight_hr_l0": (3, 8)}).values == {
        "kind": Kind.LSTM,
        "cell": False,
        "hidden_size": 8,
        "proj_size": 3,
    }
    # 160 rows of which 20 come back: without a projection there would be 1, 3 or 4 times as many.
    assert infer({"weight_hh_l0": (160, 20)}).values["proj_size"] == 20
    assert infer({"weight_hh_l0": (80, 40)}).problem


pruned: Any = prune.l1_unstructured


def spectral(layer: nn.Module, name: str) -> None:
    nn.utils.spectral_norm(layer, name)


def norm(layer: nn.Module, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and in many checkpoints
        nn.utils.weight_norm(layer, name)


class Doubled(nn.Module):
    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return 2 * weight

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight / 2


def bufferize(layer: nn.Module, name: str) -> None:
    value = layer.get_parameter(name).detach()
    delattr(layer, name)
    layer.register_buffer(name, value)


CHANGES: dict[str, tuple[Callable[[nn.Module, str], object], str]] = {
    "weight_norm": (norm, "computed by weight_norm"),
    "parametrized weight_norm": (parametrizations.weight_norm, "computed by weight_norm"),
    "spectral_norm": (spectral, "computed by spectral_norm"),
    "parametrized spectral_norm": (
        parametrizations.spectral_norm,
        "computed by a parametrization",
    ),
    "orthogonal": (parametrizations.orthogonal, "computed by a parametrization"),
    "parametrization": (
        lambda layer, name: parametrize.register_parametrization(layer, name, Doubled()),
        "computed by a parametrization",
    ),
    "pruning": (lambda layer, name: pruned(layer, name, 0.3), "pruned"),
    "buffer": (bufferize, ""),
}


@pytest.mark.parametrize("change", CHANGES)
@given(config=layers(largest=5), data=st.data())
@examples(60)
def test_weights_that_are_computed_from_others_are_recognised(
    change: str, config: RNNConfig, data: st.DataObject
) -> None:
    layer = built(config)
    names = [name for name in layer.state_dict() if name.startswith("weight")]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    apply, made = CHANGES[change]
    for name in chosen:
        apply(layer, name)
    shapes = prefixed(shapes_of(layer.state_dict()), "model.rnn")
    found = only(recognise(shapes))
    assert found.config == told(config)
    assert set(found.shapes) == set(shapes)
    assert bool(found.departures) == bool(made)
    assert all(made in each for each in found.departures)


@pytest.mark.parametrize("change", ["weight_norm", "parametrized weight_norm", "pruning"])
def test_a_weight_cannot_be_computed_without_one_of_its_parts(change: str) -> None:
    layer = built(LSTM)
    plain = set(layer.state_dict())
    CHANGES[change][0](layer, "weight_hh_l1")
    shapes = shapes_of(layer.state_dict())
    parts = set(shapes) - plain
    assert len(parts) == 2
    for part in parts:
        rest = {name: shape for name, shape in shapes.items() if name != part}
        assert "not make weight_hh_l1" in problem(rest)


def test_a_norm_of_the_whole_weight_has_no_dimensions() -> None:
    shapes = {**SHAPES, "weight_hh_l1_g": (), "weight_hh_l1_v": SHAPES["weight_hh_l1"]}
    del shapes["weight_hh_l1"]
    assert only(recognise(shapes)).config == LSTM


def test_a_weight_that_is_normed_and_then_pruned_is_recognised() -> None:
    layer = built(LSTM)
    norm(layer, "weight_hh_l1")
    pruned(layer, "weight_hh_l1_v", 0.3)
    found = only(recognise(shapes_of(layer.state_dict())))
    assert found.config == LSTM
    assert found.departures == ("weight_hh_l1 is pruned and computed by weight_norm",)


@pytest.mark.parametrize("again", [False, True], ids=["raw alone", "raw and dropped"])
def test_weight_drop_holds_raw_weights_in_the_wrapper(again: bool) -> None:
    raw = {"rnns.0.weight_hh_l0_raw": (160, 40), "rnns.0.weight_hh_l1_raw": (160, 40)}
    rest = {n: s for n, s in SHAPES.items() if again or not n.startswith("weight_hh")}
    shapes = {**raw, **prefixed(rest, "rnns.0.module")}
    found = only(recognise(shapes))
    assert (found.name, found.config, set(found.shapes)) == ("rnns.0.module", LSTM, set(shapes))
    assert found.departures
    shapes["rnns.0.weight_hh_l0_raw"] = (160, 41)
    assert "weight_hh_l0" in problem(shapes)


def test_weight_drop_may_hold_raw_weights_in_the_layer_itself() -> None:
    shapes = {n.replace("weight_hh_l1", "weight_hh_l1_raw"): s for n, s in SHAPES.items()}
    found = only(recognise(shapes))
    assert found.config == LSTM
    assert found.departures == ("weight_hh_l1 is put through dropout in training",)


def quantized(layer: nn.Module, dtype: torch.dtype) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao is deprecated, and in many checkpoints
        return quantization.quantize_dynamic(nn.Sequential(layer), {type(layer)}, dtype=dtype)


@given(
    config=configs(largest=5, kinds=(Kind.LSTM, Kind.GRU), projections=False) | cells(),
    dtype=st.sampled_from([torch.qint8, torch.float16]),
)
@examples(60)
def test_dynamically_quantized_layers_are_recognised(config: RNNConfig, dtype: torch.dtype) -> None:
    config = replace(config, bias=True)  # PyTorch quantizes no others
    module = quantized(built(config), dtype)
    shapes = shapes_of(module.state_dict())
    alike = config.num_layers * config.directions == 2 and config.input_size == config.hidden_size
    if alike:
        assert "two packed weights" in problem(shapes)
        class_name = f"{type(module[0]).__module__}.{config.kind.value}"
        attributes = {"0": {**vars(module[0]), "class": class_name}}
        assert only(recognise(shapes, attributes)).config == config
        return
    found = only(recognise(shapes))
    assert (found.name, found.config) == ("0", told(config))
    assert found.departures == ("its weights are packed for quantized products",)


@pytest.mark.parametrize("split_gates", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("config", [LSTM, replace(LSTM, num_layers=1, bidirectional=True)])
def test_quantizable_layers_are_recognised(
    config: RNNConfig, bias: bool, split_gates: bool
) -> None:
    layer = quantizable.LSTM(
        20, 40, config.num_layers, bias, False, 0.0, config.bidirectional, split_gates=split_gates
    )
    shapes = prefixed(shapes_of(layer.state_dict()), "rnn")
    found = only(recognise(shapes))
    assert (found.name, found.config) == ("rnn", replace(config, bias=bias))
    assert set(found.shapes) == set(shapes)
    for name in shapes:
        rest = {each: shape for each, shape in shapes.items() if each != name}
        if bias or "bias" not in name:
            assert name.split(".cell.")[1].split(".")[0][:1] in problem(rest)


def test_gates_of_different_shapes_make_no_weight() -> None:
    shapes = shapes_of(quantizable.LSTM(20, 40, split_gates=True).state_dict())
    shapes["layers.0.layer_fw.cell.hgates.cell.weight"] = (41, 40)
    assert "do not make weight_hh_l0: it needs four gates of one shape" in problem(shapes)


def test_only_an_lstm_is_quantizable() -> None:
    shapes = {"cell.igates.weight": (120, 20), "cell.hgates.weight": (120, 40)}
    assert problem(shapes) == (
        "hgates.weight (120, 40): 120 rows / 40 = 3 gates,"
        " but only an LSTM, with 4 gates, has these names"
    )


def test_a_converted_quantizable_layer_is_recognised() -> None:
    model: Any = nn.Sequential(nn.LSTM(5, 7, 2, bidirectional=True)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.qconfig = quantization.get_default_qconfig("fbgemm")
        prepared = quantization.prepare(model)
        prepared(torch.randn(3, 2, 5))
        converted = quantization.convert(prepared)
    for module in (prepared, converted):
        found = only(recognise(shapes_of(module.state_dict())))
        assert found.config.constructor == "nn.LSTM(5, 7, num_layers=2, bidirectional=True)"
        assert len(found.departures) == 1  # observers and scales are not the layer's


def test_two_cells_side_by_side_are_two_cells() -> None:
    cell = {"weight_ih": (120, 20), "weight_hh": (120, 40), "bias_ih": (120,), "bias_hh": (120,)}
    recognition = recognise({**prefixed(cell, "gru_f"), **prefixed(cell, "gru_b")})
    assert [(each.name, each.config.class_name) for each in recognition.layers] == [
        ("gru_f", "nn.GRUCell"),
        ("gru_b", "nn.GRUCell"),
    ]


NAMELESS = (
    "lstm_weight_hh_l0",
    "weight_hh_l0_extra",
    "weight_hh_l00",
    "weight_hh_l-1",
    "weight_hh_l\u0663",
    "weight_hh_l0_Reverse",
    "Weight_hh_l0",
    "weight_hh_l0\n",
    "weight_hh_l" + "9" * 5_000,
    "0",
    "0.exp_avg",
    "",
    ".",
    "weight_g",
    "my_igates.weight",
)


def test_names_that_only_resemble_those_of_weights_are_no_layers() -> None:
    assert recognise(dict.fromkeys(NAMELESS, (160, 40))) == Recognition()
    assert (
        recognise(shapes_of({0: torch.zeros(4, 1), None: 3, "weight_hh": "text"})) == Recognition()
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"weight_hh_l1": None},
            (
                "weight_hh_l1 (160, 40) is missing:"
                " weight_hh_l0 (160, 40) belongs to nn.LSTM(20, 40, num_layers=2)"
            ),
        ),
        (
            {"weight_ih_l0": None},
            (
                "weight_ih_l0 is missing:"
                " weight_hh_l0 (160, 40) belongs to nn.LSTM(?, 40, num_layers=2)"
            ),
        ),
        (
            {"bias_hh_l1": None, "bias_hh_l0": None},
            (
                "bias_hh_l0 (160,) and bias_hh_l1 (160,) are missing:"
                " weight_hh_l0 (160, 40) belongs to nn.LSTM(20, 40, num_layers=2)"
            ),
        ),
        (
            {"weight_hh_l1": (160, 41)},
            (
                "weight_hh_l1 (160, 41) should be (160, 40):"
                " weight_hh_l0 (160, 40) belongs to nn.LSTM(20, 40, num_layers=2)"
            ),
        ),
        (
            {"weight_ih_l1": (160, 80)},
            (
                "weight_ih_l0_reverse (160, 20), weight_hh_l0_reverse (160, 40), bias_ih_l0_reverse"
                " (160,) and 5 more are missing: weight_hh_l0 (160, 40) belongs to"
                " nn.LSTM(20, 40, num_layers=2, bidirectional=True)"
            ),
        ),
        (
            {"weight_hh_l0": None, "weight_hh_l1": None},
            "weight_hh_l0 is missing: only it tells an LSTM, a GRU and an RNN apart",
        ),
        (
            {"weight_hh_l0": (80, 40)},
            (
                "weight_hh_l0 (80, 40): 80 rows are not 4, 3 or 1 times 40, as in an LSTM, a GRU or"
                " an RNN"
            ),
        ),
        (
            {"weight_hh_l0": (130, 40)},
            (
                "weight_hh_l0 (130, 40): 130 rows are not 4, 3 or 1 times 40, as in an LSTM, a GRU"
                " or an RNN"
            ),
        ),
        (
            {"weight_hh_l0": (160, 20), "weight_hh_l1": (160, 20), "weight_ih_l1": (160, 20)},
            (
                "weight_hh_l0 (160, 20): 160 rows are not 4, 3 or 1 times 20, as in an LSTM,"
                " a GRU or an RNN; an LSTM with a projection would also have weight_hr_l0 (20, 40)"
            ),
        ),
        (
            {"weight_hr_l0": (40, 40)},
            "weight_hr_l0 (40, 40): proj_size 40 is not smaller than hidden_size 40",
        ),
        ({"bias_ih_l0": (160, 1)}, "bias_ih_l0 (160, 1) has 2 dimensions, not 1"),
        ({"weight_hh_l0": ()}, "weight_hh_l0 () has 0 dimensions, not 2"),
        ({"bias_ih_l0": (0,)}, "bias_ih_l0 (0,) has a size that is not from 1 to 2**63 - 1"),
        ({"bias_ih_l0": (10**5000,)}, "bias_ih_l0 has a size that is not from 1 to 2**63 - 1"),
        ({"bias_ih_l0": (1,) * 99_999}, "bias_ih_l0 has 99,999 dimensions, not 1"),
        (
            {"weight_hh_l99999999999": (160, 40)},
            (
                "weight_ih_l2 (160, 40), weight_hh_l2 (160, 40), bias_ih_l2 (160,) and"
                " 399,999,999,988 more are missing: weight_hh_l0 (160, 40) belongs to"
                " nn.LSTM(20, 40, num_layers=100000000000)"
            ),
        ),
    ],
)
def test_a_problem_names_the_tensors_with_their_shapes_and_what_was_expected(
    change: dict[str, Dims | None], expected: str
) -> None:
    changed = {**SHAPES, **change}
    shapes = {name: shape for name, shape in changed.items() if shape is not None}
    assert problem(shapes) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"weight_hh_l1_g": (160, 1)}, "weight_norm needs _v and its norm _g"),
        ({"weight_hh_l1_v": (160, 40)}, "weight_norm needs _v and its norm _g"),
        ({"weight_hh_l1_v": (160, 40), "weight_hh_l1_g": (160, 40)}, "its norm _g"),
        ({"weight_hh_l1_orig": (160, 40)}, "pruning needs _orig and a _mask of its shape"),
        ({"weight_hh_l1_orig": (160, 40), "weight_hh_l1_mask": (160, 1)}, "a _mask of its shape"),
        ({"weight_hh_l1_mask": (160, 40)}, "pruning needs _orig and a _mask of its shape"),
        (  # as a product of two factors has them: they do not tell the shape
            {
                "parametrizations.weight_hh_l1.original0": (160, 3),
                "parametrizations.weight_hh_l1.original1": (3, 40),
            },
            "weight_norm needs original1 and its norm original0",
        ),
        (
            {"parametrizations.weight_hh_l1.0._u": (160,)},
            "the tensor that it is computed from is missing",
        ),
    ],
)
def test_parts_that_do_not_make_a_weight_are_named(parts: dict[str, Dims], expected: str) -> None:
    shapes = {**SHAPES, **parts}
    del shapes["weight_hh_l1"]
    assert all(name in problem(shapes) for name in parts)
    assert problem(shapes).endswith(expected) or expected in problem(shapes)


def test_a_broken_layer_hides_no_other() -> None:
    broken = {name: shape for name, shape in SHAPES.items() if name != "bias_hh_l0"}
    recognition = recognise({**prefixed(broken, "a"), **prefixed(SHAPES, "b")})
    assert [each.name for each in recognition.layers] == ["b"]
    assert [each.name for each in recognition.failures] == ["a"]


def test_tensors_that_the_plain_layer_does_not_have_are_named() -> None:
    own = {"rnn.h0": (1, 1, 40), "rnn.norm.weight": (40,), "rnnx": (3,)}
    found = only(recognise({**own, **prefixed(SHAPES, "rnn")}))
    assert found.departures == ("it also holds h0 and norm.weight, which nn.LSTM does not",)


def test_evidence_names_the_tensors() -> None:
    config = replace(LSTM, num_layers=4, bidirectional=True)
    backwards = dict(reversed(held(config).items()))
    found = only(recognise(prefixed(backwards, "encoder.lstm")))
    assert {each.field: each.text for each in found.evidence} == {
        "kind": "weight_hh_l0 (160, 40): 160 rows / 40 = 4 gates",
        "input_size": "weight_ih_l0 (160, 20)",
        "hidden_size": "weight_hh_l0 (160, 40), no weight_hr, so no proj_size",
        "num_layers": "_l0 to _l3",
        "bias": "bias_ih_l0, bias_hh_l0 (160,)",
        "batch_first": "not stored in a checkpoint: see the code that made it",
        "dropout": "not stored in a checkpoint; no effect in eval()",
        "bidirectional": "16 names end in _reverse",
    }


def test_dropout_of_one_layer_is_said_to_have_no_effect() -> None:
    found = only(recognise(held(replace(LSTM, num_layers=1))))
    texts = {each.field: each.text for each in found.evidence}
    assert texts["dropout"] == "not stored in a checkpoint; no effect on one layer"


def test_a_bare_rnn_base_tells_its_nonlinearity() -> None:
    layer = nn.RNNBase("RNN_RELU", 20, 40)
    attributes = {"": {**vars(layer), "class": f"{TORCH}.RNNBase"}}
    found = only(recognise(shapes_of(layer.state_dict()), attributes))
    assert found.config.constructor == "nn.RNN(20, 40, nonlinearity='relu')"
    assert not found.unknown
    assert not found.departures


@given(config=configs(largest=6))
@examples(200)
def test_the_attributes_of_a_pickled_module_tell_everything(config: RNNConfig) -> None:
    layer = built(config, device="meta")
    name = type(layer).__name__
    for class_name in (f"{TORCH}.{name}", f"__torch__.{TORCH}.___torch_mangle_7.{name}"):
        attributes = {"rnn": {**vars(layer), "class": class_name}}
        found = only(recognise(prefixed(shapes_of(layer.state_dict()), "rnn"), attributes))
        assert (found.config, found.unknown, found.departures) == (config, frozenset(), ())


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {"mode": "LSTM", "hidden_size": 41},
            (
                "the module says hidden_size 41, its weights 40:"
                " weight_hh_l0 (160, 40), no weight_hr, so no proj_size"
            ),
        ),
        (
            {"class": f"{TORCH}.GRU"},
            (
                "the module says kind GRU, its weights LSTM:"
                " weight_hh_l0 (160, 40): 160 rows / 40 = 4 gates"
            ),
        ),
        ({"class": f"{TORCH}.LSTMCell"}, "the module says cell True, its weights False"),
        (
            {"mode": "LSTM", "bidirectional": True},
            "the module says bidirectional True, its weights False: no name ends in _reverse",
        ),
        (
            {"mode": "LSTM", "num_layers": 3},
            "the module says num_layers 3, its weights 2: _l0 to _l1",
        ),
        ({"mode": "LSTM", "proj_size": 7}, "the module says proj_size 7, its weights 0"),
        (
            {"mode": "LSTM", "input_size": 10**5_000},
            (
                "the module says input_size a value of type int that cannot be printed, its weights"
                " 20: weight_ih_l0 (160, 20)"
            ),
        ),
    ],
)
def test_attributes_that_contradict_the_weights_are_a_problem(
    attributes: dict[str, Any], expected: str
) -> None:
    assert problem(SHAPES, {"": attributes}) == expected


def test_attributes_of_types_that_pytorch_never_sets_tell_nothing() -> None:
    strange = {"mode": "LSTM", "dropout": "0.5", "batch_first": [], "hidden_size": object()}
    found = only(recognise(SHAPES, {"": strange}))
    assert found.unknown == {"batch_first", "dropout"}
    other = {"class": "net.Encoder", "hidden_size": 999, "batch_first": True}
    found = only(recognise(SHAPES, {"": other}))
    assert found.unknown == {"batch_first", "dropout"}
    assert found.departures == ("its class is net.Encoder, which may do more than PyTorch's",)


def test_a_module_without_weights_is_recognised_only_if_they_are_packed() -> None:
    module = quantized(nn.LSTM(4, 5, 2, batch_first=True), torch.qint8)[0]
    packed = {**vars(module), "class": "torch.ao.nn.quantized.dynamic.modules.rnn.LSTM"}
    found = only(recognise({}, {"q": packed}))
    assert found.config.constructor == "nn.LSTM(4, 5, num_layers=2, batch_first=True)"
    assert found.departures == ("its weights are packed and could not be read",)
    assert problem({}, {"q": {**packed, "hidden_size": -1}}).startswith(
        "its attributes: hidden_size"
    )
    plain = {**packed, "class": f"{TORCH}.LSTM"}
    assert problem({}, {"q": plain}) == f"its class is {TORCH}.LSTM, but it has no weights"
    assert recognise({}, {"": {"class": "net.Tagger", "hidden_size": 3}}) == Recognition()


def test_the_cells_inside_a_quantizable_layer_are_no_layers_of_their_own() -> None:
    shapes = prefixed(shapes_of(quantizable.LSTM(20, 40).state_dict()), "rnn")
    module = "torch.ao.nn.quantizable.modules.rnn"
    attributes = {
        "rnn": {"class": f"{module}.LSTM", "batch_first": True, "dropout": 0.0},
        "rnn.layers.0.layer_fw.cell": {"class": f"{module}.LSTMCell", "hidden_size": 40},
    }
    found = only(recognise(shapes, attributes))
    assert (found.name, found.unknown) == ("rnn", frozenset())


def test_the_layer_itself_may_be_the_whole_of_the_mapping() -> None:
    half = built(LSTM).half().state_dict()
    assert only(recognise(shapes_of(half))).config == LSTM
    assert shapes_of({"weight_ih": nn.UninitializedParameter(), "x": None}) == {}
