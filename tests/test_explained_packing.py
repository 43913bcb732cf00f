"""What decides between the causes of packing, tuples, constructors, exports and DataParallel."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import rnnshape
from tests.test_explain import raised

z = torch.zeros


def explained(text: str) -> Any:
    explanation = rnnshape.explain(text)
    assert explanation is not None, text
    return explanation


def whys(text: str) -> list[str]:
    return [cause.why for cause in explained(text).causes]


def traced(statement: str, **names: Any) -> str:
    """The traceback of a statement, with its line of code."""
    try:
        exec(statement, {"nn": nn, "z": z, **names})  # noqa: S102 - statements of this file
    except Exception:  # noqa: BLE001 - whatever it raises
        return traceback.format_exc().replace(
            "line 1, in <module>\n", f"line 1, in f\n    {statement}\n"
        )
    raise AssertionError(statement)


COUNT = "Expected `len(lengths)` to be equal to batch_size, but got {} (batch_size={})"
FORM = "RuntimeError: 'lengths' argument should be a 1D CPU int64 tensor, but got {}D {} {} tensor"


@pytest.mark.parametrize(
    ("given", "fixes"),
    [
        ((1, "cuda:0", "Long"), ["lengths.cpu()"]),
        ((2, "cpu", "Long"), ["reshape(-1)"]),
        ((1, "cpu", "Float"), ["lengths.long()"]),
        ((1, "cuda:0", "Float"), ["lengths.cpu().long()"]),
        ((2, "cuda:1", "Float"), ["lengths.cpu().reshape(-1).long()"]),
    ],
)
def test_only_what_is_wrong_with_the_lengths_is_mended(given: Any, fixes: list[str]) -> None:
    causes = explained(FORM.format(*given)).causes
    assert len(causes) == len(fixes)
    assert all(fix in cause.fix for fix, cause in zip(fixes, causes, strict=True))


@pytest.mark.parametrize(
    ("got", "batch", "split"), [(2, 1, "2 = 2 x 1"), (12, 4, "12 = 3 x 4"), (13, 4, ""), (2, 4, "")]
)
def test_the_number_of_lengths_is_compared_with_the_batch(got: int, batch: int, split: str) -> None:
    explanation = explained(COUNT.format(got, batch))
    assert explanation.meaning == (
        f"There are {got} lengths for a batch of {batch}: each sequence needs one length."
    )
    comparison = explanation.comparison
    assert (comparison.expected, comparison.got) == ((batch,), (got,))
    (whole,) = [cause.why for cause in explanation.causes if "DataParallel" in cause.why] or [""]
    assert split in whole
    assert bool(whole) is bool(split)


@pytest.mark.parametrize(
    ("shape", "proven"), [("(2, 5)", True), ("(2, 5, 3)", True), ("(2,)", False), ("(5, 2)", False)]
)
def test_a_shape_proves_the_axis_of_the_batch_if_it_has_both(shape: str, proven: bool) -> None:
    causes = whys(f"x.shape: {shape}\n{COUNT.format(2, 5)}")
    assert (len(causes) == 1) is proven
    assert causes[0].startswith("x is (batch, seq, feature)")


def test_two_lengths_for_a_batch_of_none_are_no_parts_of_it() -> None:
    explanation = explained(COUNT.format(2, 0))
    assert explanation.meaning.startswith("There are 2 lengths for a batch of 0")
    assert not any("DataParallel" in cause.why for cause in explanation.causes)
    assert explained(COUNT.format(0, 2)).meaning.startswith("There are 0 lengths for a batch of 2")


def test_old_versions_that_do_not_count_the_lengths_get_every_cause() -> None:
    explanation = explained("ValueError: lengths array has incorrect size in pack_padded_sequence")
    assert explanation.meaning.startswith("The number of lengths differs from the batch of x")
    assert explanation.comparison is None
    assert any("DataParallel" in cause.why for cause in explanation.causes)


def test_old_versions_that_do_not_say_what_is_wrong_get_every_cause() -> None:
    assert len(whys("RuntimeError: 'lengths' argument should be a 1D CPU int64 tensor")) == 3


def test_lengths_for_several_gpus_are_counted_in_parts() -> None:
    causes = whys(COUNT.format(12, 4))
    assert "batch_first" in causes[0]
    assert "12 = 3 x 4" in causes[1]
    replicas = f"RuntimeError: Caught ValueError in replica 0 on device 0.\nValueError: {COUNT}"
    assert "DataParallel" in whys(replicas.format(12, 4))[0]
    assert not any("DataParallel" in why for why in whys(COUNT.format(5, 4)))


def test_a_known_shape_proves_which_axis_is_the_batch() -> None:
    text = f"x.shape: (2, 5, 3)\n{raised('pack_padded_sequence(z(2, 5, 3), [5, 4])')}"
    assert [why[:27] for why in whys(text)] == ["x is (batch, seq, feature),"]


def test_a_pack_is_to_blame_for_sure_only_in_a_recurrent_layer() -> None:
    text = "RuntimeError: start (4) + length (2) exceeds dimension size (4)."
    rest = "it has data for 4 steps of all its sequences, but its lengths ask for more."
    assert explained(text).meaning == f"Often it is a PackedSequence: {rest}"
    assert explained(f"self.gru(x)\n{text}").meaning == f"A PackedSequence is to blame: {rest}"


def test_an_empty_list_was_indexed_in_old_versions_by_pad_sequence_only() -> None:
    assert explained("ValueError: received an empty list of sequences").mistake == (
        "pad-sequence-empty"
    )
    index = "IndexError: list index out of range"
    assert explained(f"x = pad_sequence(sequences)\n{index}").mistake == "pad-sequence-empty"
    other = rnnshape.explain(f"x = lstm(sequences[3])\n{index}")
    assert other is None or other.mistake != "pad-sequence-empty"


@pytest.mark.parametrize(("lengths", "total"), [([5, 4], 3), ([7, 1], 6)])
def test_the_longest_sequence_and_the_total_are_compared(lengths: list[int], total: int) -> None:
    packed = pack_padded_sequence(z(max(lengths), 2, 3), lengths)
    with pytest.raises(ValueError, match="total_length") as caught:
        pad_packed_sequence(packed, total_length=total)
    comparison = explained(str(caught.value)).comparison
    assert (comparison.expected, comparison.got) == ((max(lengths),), (total,))


def test_lengths_that_are_too_long_are_recognised_by_where_the_data_ends() -> None:
    for lengths in ([9, 4], [6, 5]):
        packed = pack_padded_sequence(z(4, 2, 3), lengths)
        with pytest.raises(RuntimeError, match="exceeds dimension size") as caught:
            nn.GRU(3, 4)(packed)
        assert explained(str(caught.value)).mistake == "lengths-too-long"
    slice_of_a_tensor = explained(raised("z(4).narrow(0, 2, 5)"))
    assert slice_of_a_tensor.mistake != "lengths-too-long"


def test_a_pair_given_to_a_gru_is_told_from_a_tuple_that_went_on() -> None:
    given = traced("gru(z(5, 2, 3), (z(1, 2, 4), z(1, 2, 4)))", gru=nn.GRU(3, 4))
    assert whys(given) == ["The state is (h, c) of an LSTM, but a GRU or an RNN has no c."]
    passed = traced("nn.Sequential(nn.LSTM(3, 4), nn.LSTM(4, 4))(z(5, 2, 3))")
    assert whys(passed)[0].startswith("In `nn.Sequential`")


@pytest.mark.parametrize(
    ("attribute", "fix"),
    [
        ("cuda", "hidden = tuple(h.cuda() for h in hidden)"),
        ("to", "hidden = tuple(h.to(device) for h in hidden)"),
        ("detach", "hidden = tuple(h.detach() for h in hidden)"),
        ("size", "out, _ = self.lstm(x)  # then use out"),
        ("view", "out, _ = self.lstm(x)  # then use out"),
    ],
)
def test_what_is_asked_of_a_tuple_says_which_tuple_it_often_is(attribute: str, fix: str) -> None:
    text = f"AttributeError: 'tuple' object has no attribute '{attribute}'"
    explanation = explained(text)
    assert explanation.causes[0].fix == fix
    assert "often" in explanation.meaning


_TRACED = 'Traceback (most recent call last):\n  File "{}", line 3, in f\n    {}\n{}'
_SHAPE = "'tuple' object has no attribute 'shape'"


@pytest.mark.parametrize(
    "text",
    [
        "AttributeError: 'tuple' object has no attribute 'lower'",
        "AttributeError: 'tuple' object has no attribute 'get_shape'",
        "AttributeError: 'list' object has no attribute 'shape'",
        "AttributeError: 'list' object has no attribute 'split'",
        "AttributeError: 'NoneType' object has no attribute 'split'",
        "AttributeError: 'NoneType' object has no attribute 'type'",
        "AttributeError: 'str' object has no attribute 'to'",
        "TypeError: 'NoneType' object is not iterable",
        "TypeError: unsupported operand type(s) for /: 'tuple' and 'int'",
        "TypeError: __init__() got an unexpected keyword argument 'units'",
        "TypeError: Form.__init__() missing 1 required positional argument: 'request'",
        "TypeError: list indices must be integers or slices, not tuple",
        _TRACED.format("keras.py", "return x.shape", "AttributeError: " + _SHAPE),
        _TRACED.format("a.py", "c = a[b]", "IndexError: list index out of range"),
        _TRACED.format("a.py", "c = a / 0.0", "ZeroDivisionError: float division by zero"),
    ],
)
def test_errors_without_a_hint_of_torch_are_not_explained(text: str) -> None:
    assert rnnshape.explain(text) is None


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("scores, _ = pack_padded_sequence(scores, lengths)", "A PackedSequence is not a pair"),
        ("input, batch_sizes = input", "A PackedSequence is not a pair"),
        ("text, text_lengths = batch.text", "torchtext"),
        ("batch, steps = self.x.shape", "The line does not have one name for each dimension"),
        ("output, (hidden, cell) = self.gru(x)", "A GRU or an RNN returns (output, h_n)"),
    ],
)
def test_the_line_of_code_decides_what_was_unpacked(code: str, why: str) -> None:
    error = "ValueError: too many values to unpack (expected 2)"
    text = _TRACED.format("torch_net.py", code, error)
    assert whys(text)[0].startswith(why)


@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_the_flag_of_a_wrong_type_is_named(kind: str, packed: bool) -> None:
    x = "pack_padded_sequence(z(5, 2, 3), [5, 4])" if packed else "z(5, 2, 3)"
    for value, given in (("1", "int"), ("'yes'", "str"), ("None", "NoneType")):
        text = raised(f"nn.{kind}(3, 4, bidirectional={value})({x})")
        explanation = explained(text)
        assert f"`bidirectional` must be a bool, but is of type {given}" in explanation.meaning
        assert len(explanation.causes) == 1
        assert explanation.causes[0].fix == f"nn.{kind}(..., bidirectional=bool(bidirectional))"


def test_a_wrong_argument_is_found_in_the_types_that_old_versions_list() -> None:
    old = (
        "TypeError: lstm() received an invalid combination of arguments - got (Tensor, tuple, list,"
        " bool, str, float, bool, bool, bool), but expected one of:\n * (Tensor data, ...)\n"
    )
    assert "`num_layers` is of type str" in explained(old).meaning
    state = old.replace("tuple, list, bool, str", "Tensor, list, bool, int")
    assert "(h_0, torch.zeros_like(h_0))" in explained(state).causes[0].fix
    gru = old.replace("lstm()", "gru()").replace("bool, str", "bool, int")
    assert "one tensor" in whys(gru)[0]


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("hidden_dim", "hidden_size=hidden_dim"),
        ("n_layers", "num_layers=n_layers"),
        ("bidirectionnal", "bidirectional=bidirectionnal"),
        ("return_sequences", "output holds every step"),
        ("activation", "only nn.RNN has a choice"),
    ],
)
def test_an_unknown_keyword_is_put_into_the_words_of_pytorch(keyword: str, said: str) -> None:
    (cause,) = explained(raised(f"nn.LSTM({keyword}=1)")).causes
    assert said in f"{cause.why} {cause.fix}"


def test_only_pack_sequence_needs_no_batch_first() -> None:
    for function, noted in (("pack_sequence", True), ("unpack_sequence", False)):
        text = f"TypeError: {function}() got an unexpected keyword argument 'batch_first'"
        assert any("needs no batch_first" in note for note in explained(text).notes) is noted
    text = "TypeError: pack_sequence() got an unexpected keyword argument 'batch'"
    assert explained(text).notes == ()


def test_what_came_with_a_newer_torch_is_said() -> None:
    text = "TypeError: __init__() got an unexpected keyword argument 'proj_size'"
    assert "came with torch 1.8" in whys(text)[0]
    text = "TypeError: pack_padded_sequence() got an unexpected keyword argument 'enforce_sorted'"
    assert "came with torch 1.1" in whys(text)[0]


GATHER = "RuntimeError: Gather got an input of invalid size: got {}, but expected {}"


def test_results_of_gpus_that_differ_in_steps_need_a_total_length() -> None:
    explanation = explained(GATHER.format([22, 43, 7], [22, 52, 7]))
    assert explanation.comparison.differs == ("seq",)
    assert "total_length" in explanation.causes[0].fix


@pytest.mark.parametrize(("layers", "got", "gpus"), [(4, (2, 32, 8), 2), (3, (1, 64, 8), 4)])
def test_a_state_that_data_parallel_split_is_recognised(
    layers: int, got: tuple[int, int, int], gpus: int
) -> None:
    whole = got[1]
    text = f"RuntimeError: Expected hidden size {(layers, whole // gpus, 8)}, got {got}"
    in_replica = f"RuntimeError: Caught RuntimeError in replica 0 on device 0.\n{text}"
    assert explained(in_replica).mistake == "state-split"
    assert f"Each of {gpus} GPUs" in whys(in_replica)[0]
    alone = rnnshape.explain(text)
    assert alone is None or alone.mistake != "state-split"


def test_a_warning_above_decides_why_an_export_failed() -> None:
    error = "RuntimeError: ONNX export failed: Couldn't export operator aten::lstm"
    assert len(whys(error)) > 1
    warning = "UserWarning: ONNX export failed on LSTM because batch_first not supported"
    assert len(whys(f"{warning}\n{error}")) == 1


def test_advice_for_forward_mode_works() -> None:
    layer, x = nn.LSTM(3, 4), z(5, 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TF32, which the flags set too
        with torch.backends.mkldnn.flags(enabled=False):
            torch.func.jvp(lambda x: layer(x)[0], (x,), (x,))
    assert torch.func.jacrev(lambda x: layer(x)[0])(x).shape == (5, 2, 4, 5, 2, 3)
