"""A default run proves what it prints: an error planted in any of it is caught and named.

The error is planted in the formula itself: whatever uses the formula gets it wrong alike.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from rnnshape import InputSpec, Kind, RNNConfig
from rnnshape.cli import exits
from rnnshape.layer import formulas, prediction, projection
from rnnshape.layer.facts import Claim, Dims, Part, Tensor
from rnnshape.layer.prediction import predict
from rnnshape.layer.subject import Origin, Subject
from rnnshape.layer.weights import Weights
from rnnshape.words import COMMAND
from tests.program import call
from tests.subjects import subject

_PADDED = InputSpec(batch_size=5, seq_len=6)
_PACKED = InputSpec(batch_size=3, seq_len=8, lengths=(2, 7, 3))
_ONE = InputSpec(seq_len=6, batched=False)


def _subjects() -> Iterator[Subject]:
    """Each kind with its options, and its cell, reading each form of input."""
    for kind in Kind:
        sizes: dict[str, Any] = {"kind": kind, "input_size": 3, "hidden_size": 4}
        stack = sizes | {"num_layers": 2, "bidirectional": True}
        for bias in (True, False):
            for spec in (_PADDED, _PACKED, _ONE):
                yield subject(RNNConfig(**sizes, bias=bias), spec)
                yield subject(RNNConfig(**stack, bias=bias, batch_first=bias), spec)
            yield subject(RNNConfig(**sizes, bias=bias, cell=True))
            yield subject(RNNConfig(**sizes, bias=bias, cell=True), InputSpec(batched=False))
        yield subject(RNNConfig(**stack), replace(_PADDED, with_state=True))
        yield subject(RNNConfig(**stack), replace(_PACKED, with_state=True))
        yield subject(RNNConfig(**sizes, cell=True), InputSpec(with_state=True))
    yield subject(RNNConfig(**stack | {"kind": Kind.LSTM, "proj_size": 2}), _PADDED)


def _command(asked: Subject) -> list[str]:
    """The words that ask for it, without a section more or less."""
    typed = replace(asked, origin=Origin(words=COMMAND), given=frozenset())
    return shlex.split(typed.request)[1:]


def _cases(subjects: Iterable[Subject]) -> list[ParameterSet]:
    return [pytest.param(each, id=" ".join(_command(each))) for each in subjects]


SUBJECTS = _cases(_subjects())
PACKED = _cases(each for each in _subjects() if "data" in each.tensors)
# A cell without initial states claims nothing.
CLAIMING = _cases(each for each in _subjects() if predict(each).claims)
# Weights do not depend on the input.
LAYERS = _cases(each for each in _subjects() if each.input_spec in (_PADDED, InputSpec()))


def _plant(patch: pytest.MonkeyPatch, name: str, wrong: Callable[..., Any]) -> None:
    """Put `wrong` in the place of a formula, wherever it has been imported."""
    right = getattr(formulas, name)
    for module in list(sys.modules.values()):
        if module.__name__.startswith("rnnshape.") and vars(module).get(name) is right:
            patch.setattr(module, name, wrong)


def _caught(asked: Subject) -> list[str]:
    """What the default run says that PyTorch does otherwise."""
    return _caught_in(*_command(asked))


def _caught_in(*command: str) -> list[str]:
    result = call(*command)
    assert (result.code, result.err) == (exits.DISAGREEMENT, ""), result
    _, rows = result.out.split("disagrees with the formulas\n")
    return [line.split("  ")[0] for line in rows.splitlines()[1:] if "  " in line]


@pytest.mark.parametrize("asked", SUBJECTS)
def test_without_an_error_there_is_none_to_catch(asked: Subject) -> None:
    result = call(*_command(asked))
    assert (result.code, result.err) == (exits.SUCCESS, "")


@pytest.mark.parametrize("asked", SUBJECTS)
def test_an_error_in_any_size_of_any_shape_is_caught(asked: Subject) -> None:
    for name, tensor in asked.tensors.items():
        for axis in range(len(tensor.shape)):
            with pytest.MonkeyPatch.context() as patch:
                _plant(patch, "layout", partial(_other_shape, formulas.layout, name, axis))
                assert name in _caught(asked)


def _other_shape(
    layout: Callable[..., dict[str, Tensor]], name: str, axis: int, *arguments: Any
) -> dict[str, Tensor]:
    tensors = layout(*arguments)
    if name not in tensors:  # of another kind, beside which the layer is shown
        return tensors
    changed = replace(tensors[name], shape=_one_more(tensors[name].shape, axis))
    return {**tensors, name: changed}


def _one_more(shape: Dims, axis: int) -> Dims:
    return (*shape[:axis], shape[axis] + 1, *shape[axis + 1 :])


@pytest.mark.parametrize("asked", LAYERS)
def test_an_error_in_any_size_of_any_weight_is_caught(asked: Subject) -> None:
    for place, block in enumerate(asked.weights.blocks):
        for stem, shape in block.shapes.items():
            for axis in range(len(shape)):
                other = {**block.shapes, stem: _one_more(shape, axis)}
                caught = _with_block(asked, place, shapes=other)
                assert [name for name in caught if name.startswith(stem)]
                assert "parameters" in caught


@pytest.mark.parametrize("asked", LAYERS)
def test_a_weight_too_many_or_too_few_is_caught(asked: Subject) -> None:
    right = asked.weights.blocks[0].shapes
    fewer = [{name: right[name] for name in right if name != stem} for stem in right]
    for shapes in (*fewer, {**right, "weight_hx": (3,)}):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(formulas, "_shapes", lambda *_, shapes=shapes: shapes)
            assert {"weights", "parameters"} <= {*_caught(asked)}


@pytest.mark.parametrize("asked", [each for each in LAYERS if "--cell" not in str(each.id)])
def test_a_layer_or_a_direction_too_many_or_too_few_is_caught(asked: Subject) -> None:
    last = len(asked.weights.blocks) - 1
    block = asked.weights.blocks[last]
    for other in ({"layers": block.layers + 1}, {"directions": 3 - block.directions}):
        assert {"weights", "parameters"} <= {*_with_block(asked, last, **other)}


def _with_block(asked: Subject, place: int, **changed: Any) -> list[str]:
    """What is caught where the block of alike layers at a place is another."""
    right = formulas.weights

    def wrong(*arguments: Any) -> Weights:
        found = right(*arguments)
        blocks = list(found.blocks)
        blocks[place] = replace(blocks[place], **changed)
        return replace(found, blocks=tuple(blocks))

    with pytest.MonkeyPatch.context() as patch:
        _plant(patch, "weights", wrong)
        return _caught(asked)


@pytest.mark.parametrize(
    ("count", "named"), [("parameters", "parameters"), ("count", "weights")], ids=["sum", "count"]
)
@pytest.mark.parametrize("asked", LAYERS)
def test_a_wrong_total_is_caught(
    asked: Subject, count: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = getattr(Weights, count).fget
    monkeypatch.setattr(Weights, count, property(lambda own: right(own) + 1))
    assert _caught(asked) == [named]


@pytest.mark.parametrize("asked", CLAIMING)
def test_the_opposite_of_any_relation_is_caught(asked: Subject) -> None:
    right = list(predict(asked).claims)
    for place, claim in enumerate(right):
        wrong = _opposite(claim)
        claims = [*right[:place], wrong, *right[place + 1 :]]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prediction, "_claims", lambda *_, claims=claims: iter(claims))
            assert _caught(asked) == [str(wrong)]


def _opposite(claim: Claim) -> Claim:
    """A shape with another size, a part that is another one, or equality where there is none."""
    if isinstance(claim.right, tuple):
        return replace(claim, right=_one_more(claim.right, 0))
    if claim.relation == "!=":
        return replace(claim, relation="==")
    assert isinstance(claim.right, Part)
    return replace(claim, left=claim.right, right=Part(tensor="input"))


@pytest.mark.parametrize("asked", PACKED)
def test_a_wrong_number_of_rows_at_a_step_is_caught(
    asked: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = formulas.batch_sizes
    _plant(monkeypatch, "batch_sizes", lambda lengths: (*right(lengths)[:-1], 9))
    assert _caught(asked) == ["batch_sizes"]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("asked", LAYERS)
def test_an_error_in_another_kind_beside_the_layer_is_caught(
    asked: Subject, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind is asked.config.kind:
        return
    right = formulas.weights

    def wrong(sizes: formulas.Sizes) -> Weights:
        first, *rest = (found := right(sizes)).blocks
        other = {**first.shapes, "weight_hh": _one_more(first.shapes["weight_hh"], 1)}
        is_wrong = sizes.config.kind is kind
        return replace(found, blocks=(replace(first, shapes=other), *rest)) if is_wrong else found

    _plant(monkeypatch, "weights", wrong)
    name = f"nn.{kind.value}{'Cell' * asked.config.cell}("
    caught = _caught(asked)
    assert [each.startswith(name) for each in caught] == [True, True]
    assert [each.rpartition(" ")[2] for each in caught] == ["parameters", "macs"]


@pytest.mark.parametrize(
    ("function", "asked", "caught"),
    [
        # 4 * hidden / (4 + 1) = 4: smaller projections save, 4 itself saves nothing.
        ("largest_saving_projection", ["--hidden", "5"], ["proj_size=4 saves"]),
        ("largest_saving_projection", ["--hidden", "9"], ["proj_size=8 saves"]),
        ("break_even_projection", ["--hidden", "5", "--proj", "2"], ["proj_size=4 equals"]),
    ],
)
def test_a_wrong_threshold_of_a_projection_is_caught(
    function: str, asked: list[str], caught: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = getattr(projection, function)

    def wrong(*sizes: int) -> int:
        return int(right(*sizes)) + 1

    for module in list(sys.modules.values()):
        if module.__name__.startswith("rnnshape.") and vars(module).get(function) is right:
            monkeypatch.setattr(module, function, wrong)
    assert _caught_in("lstm", *asked) == caught
