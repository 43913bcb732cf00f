"""What decides between the causes of errors about states, inputs, devices, dtypes and kernels."""

from __future__ import annotations

import ast
from typing import Any, Final

import pytest
import torch
from torch import nn

import rnnshape
from rnnshape.analysis.explanation.mistakes import devices, dtypes, inputs, kernels, states

SUBJECTS: Final = (states, inputs, devices, dtypes, kernels)
ENTRIES: Final = [entry for subject in SUBJECTS for entry in subject.ENTRIES]


def explained(text: str) -> Any:
    explanation = rnnshape.explain(text)
    assert explanation is not None, text
    return explanation


def first(text: str) -> str:
    """The fix that comes first."""
    return str(explained(text).causes[0].fix)


def raised_by(names: dict[str, Any], call: str) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it raises
        exec(call, names)  # noqa: S102
    return caught.value


def variables(**tensors: tuple[int, ...]) -> dict[str, Any]:
    return {name: torch.zeros(shape) for name, shape in tensors.items()} | {
        "torch": torch,
        "nn": nn,
    }


LSTM: Final = "output = lstm(x, (h_0, c_0))"
GRU: Final = "output = gru(x, h_0)"
# A layer, the shapes of x and h_0, the mistake, and which cause is meant.
STATES: Final = {
    "kept from another batch": (nn.LSTM(3, 4), (5, 2, 3), (1, 9, 4), "state-batch", -1),
    "smaller last batch": (nn.GRU(3, 4), (5, 2, 3), (1, 9, 4), "state-batch", -1),
    "one sequence": (nn.GRU(3, 4), (5, 2, 3), (1, 1, 4), "state-batch", 1),
    "decoder step": (nn.LSTM(3, 4), (9, 1, 3), (1, 9, 4), "state-batch", 0),
    "bidirectional encoder": (nn.LSTM(3, 4), (5, 2, 3), (2, 2, 4), "state-layers", 0),
    "two layers of one": (nn.GRU(3, 4), (5, 2, 3), (2, 2, 4), "state-layers", 1),
    "all layers": (nn.GRU(3, 4, 2), (5, 2, 3), (5, 2, 4), "state-layers", 0),
    "too few layers": (nn.LSTM(3, 4, 2), (5, 2, 3), (1, 2, 4), "state-layers", -1),
    "features": (nn.LSTM(3, 4), (5, 2, 3), (1, 2, 9), "state-features", 0),
    "batch first": (nn.GRU(3, 4, 2), (5, 7, 3), (7, 2, 4), "state-transposed", 0),
    "turned round": (nn.GRU(3, 4, 2), (5, 7, 3), (7, 4, 2), "state-transposed", 0),
    "joined": (nn.GRU(3, 8), (5, 2, 3), (2, 2, 4), "state-directions", 0),
    "apart": (nn.LSTM(3, 4, bidirectional=True), (5, 2, 3), (1, 2, 8), "state-directions", 0),
    "all": (nn.LSTM(3, 4), (5, 2, 3), (3, 7, 9), "state-shape", -1),
    "no layers": (nn.GRU(3, 4), (5, 2, 3), (2, 4), "state-dimensions", 0),
    "too many": (nn.GRU(3, 4), (5, 2, 3), (1, 2, 1, 4), "state-dimensions", 0),
    "unbatched": (nn.GRU(3, 4), (5, 3), (1, 1, 4), "state-unbatched", 0),
    "one step": (nn.GRU(3, 4), (2, 3), (1, 2, 4), "state-unbatched", 1),
    "unbatched as meant": (nn.LSTM(3, 4), (5, 3), (1, 1, 4), "state-unbatched", 3),
}


@pytest.mark.parametrize(("layer", "x", "h_0", "mistake", "cause"), STATES.values(), ids=STATES)
def test_the_fix_of_a_state_works_when_it_is_pasted(
    layer: nn.Module, x: tuple[int, ...], h_0: tuple[int, ...], mistake: str, cause: int
) -> None:
    names = variables(x=x, h_0=h_0, c_0=h_0)
    name, call = ("lstm", LSTM) if isinstance(layer, nn.LSTM) else ("gru", GRU)
    names[name] = layer
    explanation = explained(f"RuntimeError: {raised_by(names, call)}")
    fix = explanation.causes[cause].fix
    assert explanation.mistake == mistake
    exec(fix, names)  # noqa: S102
    if "likewise" in fix:
        exec(fix.replace("h_0", "c_0"), names)  # noqa: S102
    exec(call, names)  # noqa: S102


def test_two_directions_are_joined_as_cat_joins_them() -> None:
    encoder = nn.GRU(3, 4, num_layers=2, bidirectional=True)
    h_n = encoder(torch.randn(5, 2, 3))[1]
    text = "RuntimeError: Expected hidden size (2, 2, 8), got [4, 2, 4]"
    names = {"h_0": h_n}
    exec(first(text), names)  # noqa: S102
    assert torch.equal(names["h_0"][1], torch.cat((h_n[2], h_n[3]), 1))
    back = {"h_0": names["h_0"]}
    exec(first("RuntimeError: Expected hidden size (4, 2, 4), got [2, 2, 8]"), back)  # noqa: S102
    assert torch.equal(back["h_0"], h_n)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_of_a_projection_h_0_and_c_0_differ_in_their_features() -> None:
    names = variables(x=(5, 2, 3), h_0=(1, 2, 8), c_0=(1, 2, 8)) | {
        "lstm": nn.LSTM(3, 8, proj_size=4)
    }
    explanation = rnnshape.explain(raised_by(names, LSTM))
    assert explanation is not None
    (cause,) = explanation.causes  # the layer is known, so nothing else is said
    exec(cause.fix, names)  # noqa: S102
    exec(LSTM, names)  # noqa: S102


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_known_input_decides_for_batch_first(batch_first: bool) -> None:
    gru = nn.GRU(3, 4, batch_first=batch_first)
    names = variables(x=(5, 2, 3), h_0=(1, 2 if batch_first else 5, 4)) | {"gru": gru}
    text = f"RuntimeError: {raised_by(names, GRU)}\nx.shape: torch.Size([5, 2, 3])\n{gru}"
    (cause,) = explained(text).causes
    assert f"batch_first={not batch_first}" in cause.fix
    names["gru"] = nn.GRU(3, 4, batch_first=not batch_first)
    exec(GRU, names)  # noqa: S102


@pytest.mark.parametrize(
    ("expected", "got", "fix"),
    [
        ("(1, 2, 10)", "[2, 10]", "lstm(x, (h_0, torch.zeros_like(h_0)))"),
        ("(1, 2, 10)", "(2, 11)", "lstm(x, (h_0, torch.zeros_like(h_0)))"),
        ("(2, 2, 10)", "[1, 2, 2, 10]", "h_0.squeeze(0)"),
        ("(2, 2, 10)", "[2, 2, 1, 10]", "h_0.squeeze(2)"),
    ],
)
def test_before_torch_1_11_the_shape_alone_tells_one_tensor_from_an_axis_too_many(
    expected: str, got: str, fix: str
) -> None:
    assert fix in first(f"RuntimeError: Expected hidden[0] size {expected}, got {got}")


def test_an_index_out_of_bounds_is_a_state_only_where_it_can_be() -> None:
    message = "IndexError: index 1 is out of bounds for dimension 0 with size 1"
    assert explained(message).mistake == "state-one-tensor"
    assert explained(message).meaning.startswith("Often")
    assert explained(message.replace("size 1", "size 2")).mistake != "state-one-tensor"
    frame = 'Traceback (most recent call last):\n  File "torch/nn/modules/{}.py", line 9, in f\n'
    assert explained(frame.format("rnn") + message).mistake == "state-one-tensor"
    assert explained(frame.format("loss") + message).mistake != "state-one-tensor"


def test_a_pair_for_a_gru_is_told_by_its_frames() -> None:
    names = variables(x=(5, 2, 3), h_0=(1, 2, 4)) | {"gru": nn.GRU(3, 4)}
    explanation = rnnshape.explain(raised_by(names, "gru(x, (h_0, h_0))"))
    assert explanation is not None
    assert explanation.mistake == "state-tuple"
    assert [cause.fix for cause in explanation.causes] == ["output, h_n = gru(x, hidden[0])"]


def test_a_cell_that_reads_features_as_a_batch_was_given_one_tensor() -> None:
    text = "RuntimeError: Input batch size {} doesn't match hidden[0] batch size {}"
    assert first(text.format(1, 512)) == "h, c = lstm_cell(x, (h, c))"
    # A GRUCell has no pair to take apart.
    assert "zeros" in first(text.replace("[0]", "").format(1, 512) + " in GRUCell")


INPUT: Final = "RuntimeError: input.size(-1) must be equal to input_size. Expected {}, got {}"


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (300, 100, "input_size was set to 300"),
        (1, 10, "no axis of features"),
        (64, 128, "2 x 64"),
        (8, 80, "80 = 10 x 8"),
        (37, 38, "1 column more"),
        (43, 42, "1 column fewer"),
    ],
)
def test_the_numbers_of_features_decide_how_x_came_to_them(
    expected: int, got: int, said: str
) -> None:
    explanation = explained(INPUT.format(expected, got))
    assert said in explanation.causes[0].why
    assert len(explanation.causes) <= 4


def test_features_that_stand_on_another_axis_are_found_in_a_known_input() -> None:
    names = variables(x=(3, 2, 5)) | {"gru": nn.GRU(3, 4)}
    (cause,) = explained(f"{INPUT.format(3, 5)}\nx.shape: torch.Size([3, 2, 5])").causes
    exec(cause.fix, names)  # noqa: S102
    exec("gru(x)", names)  # noqa: S102


def test_features_that_a_known_input_has_on_no_axis_are_not_sought_there() -> None:
    (cause,) = explained(f"{INPUT.format(20, 30)}\nx.shape: torch.Size([10, 5, 30])").causes
    assert "input_size was set to 20" in cause.why


def test_a_known_input_rules_out_other_orders_of_its_axes() -> None:
    message = "RuntimeError: Expected hidden[0] size (8, 10, 40), got [8, 5, 40]"
    # The layer reads 10 as the batch, which stands first: so it is batch first, if not printed.
    first = explained(f"{message}\nx.shape: torch.Size([10, 5, 20])")
    assert ["batch_first=False" in cause.fix for cause in first.causes] == [True, False]
    neither = explained(f"{message}\nx.shape: torch.Size([10, 7, 20])")
    (state,) = neither.causes
    assert state.why.startswith("The state is of another batch")


@pytest.mark.parametrize(
    ("text", "dimensions"),
    [
        ("RuntimeError: input must have 3 dimensions, got 5", "4-D"),
        ("RuntimeError: input must have 3 dimensions, got 4", "4-D"),
        ("RuntimeError: input must have 3 dimensions, got 2", "2-D"),
        ("ValueError: LSTM: Expected input to be 2D or 3D, got 4D instead", "4-D"),
        ("ValueError: RNN: Expected input to be 2D or 3D, got 1D tensor instead", "1-D"),
        ("AssertionError: GRU: Expected input to be 2-D or 3-D but received 4-D tensor", "4-D"),
    ],
)
def test_dimensions_are_counted_as_the_version_counts_them(text: str, dimensions: str) -> None:
    assert f"x is {dimensions}" in explained(text).meaning


def test_old_versions_of_torch_speak_of_an_empty_sequence_in_their_frames_only() -> None:
    frame = 'Traceback (most recent call last):\n  File "torch/nn/modules/rnn.py", line 9, in f\n'
    message = "RuntimeError: stack expects a non-empty TensorList"
    assert explained(frame + message).mistake == "input-empty"
    assert explained(message).mistake != "input-empty"


DEVICES: Final = "RuntimeError: Input and {} tensors are not at the same device, found input tensor"


@pytest.mark.parametrize(
    ("text", "mistake", "fix"),
    [
        (DEVICES.format("hidden") + " at cuda:0 and hidden tensor at cpu", "state", "device=x.dev"),
        (DEVICES.format("hidden") + " at cpu and hidden tensor at cuda:0", "state", "x.to(h_0.d"),
        (DEVICES.format("hidden") + " at cuda:1 and hidden tensor at cuda:0", "state", "device=x"),
        (DEVICES.format("parameter") + " at cpu and parameter tensor at cuda:0", "input", "x.to('"),
        (
            DEVICES.format("parameter") + " at cuda:0 and parameter tensor at cpu",
            "input",
            "model.to('cuda:0')",
        ),
    ],
)
def test_what_is_on_the_cpu_is_moved(text: str, mistake: str, fix: str) -> None:
    assert explained(text).mistake == f"device-{mistake}"
    assert fix in first(text)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("torch.cuda.FloatTensor but found type torch.FloatTensor", "device-mixed"),
        ("torch.FloatTensor but found type torch.DoubleTensor", "dtype-mixed"),
        ("torch.cuda.LongTensor but found type torch.cuda.FloatTensor", "dtype-integers"),
        ("torch.cuda.HalfTensor but found type torch.cuda.FloatTensor", "dtype-half"),
    ],
)
def test_types_of_torch_0_4_differ_in_the_device_or_in_the_dtype(text: str, mistake: str) -> None:
    text = f"RuntimeError: Expected object of type {text} for argument #4 'mat1'"
    assert explained(text).mistake == mistake


MIXED: Final = "RuntimeError: expected scalar type {} but found {}"


@pytest.mark.parametrize(
    ("one", "other", "mistake"),
    [
        ("Double", "Float", "dtype-mixed"),
        ("Long", "Float", "dtype-integers"),
        ("Byte", "Float", "dtype-integers"),
        ("Half", "Float", "dtype-half"),
        ("BFloat16", "Float", "dtype-half"),
    ],
)
def test_the_order_of_two_dtypes_says_nothing(one: str, other: str, mistake: str) -> None:
    forth, back = explained(MIXED.format(one, other)), explained(MIXED.format(other, one))
    assert forth.mistake == back.mistake == mistake
    assert forth.causes == back.causes


def test_a_frame_tells_a_target_of_the_loss_from_an_input() -> None:
    frame = 'Traceback (most recent call last):\n  File "torch/nn/modules/{}.py", line 9, in f\n'
    text = MIXED.format("Long", "Float")
    loss = explained(frame.format("loss") + "    return F.cross_entropy(input, target)\n" + text)
    assert "target.long()" in loss.causes[0].fix
    layer = explained(frame.format("rnn") + "    result = _VF.lstm(input, hx)\n" + text)
    assert not any("target" in cause.fix for cause in layer.causes)


DTYPES: Final = (
    "RuntimeError: Input and parameter tensors are not the same dtype, found input tensor with"
    " Double and parameter tensor with Float"
)


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: RNN input dtype (torch.float64) does not match weight dtype (torch.float32)",
        "ValueError: input must have the type torch.float32, got type torch.float64",
        DTYPES,
    ],
)
def test_a_message_that_names_the_input_is_taken_at_its_word(text: str) -> None:
    explanation = explained(text)
    assert explanation.mistake == "dtype-input"
    assert "input is float64 (Double), but the weights" in explanation.meaning
    assert "x.float()" in explanation.causes[0].fix


STATUS: Final = "RuntimeError: cuDNN error: CUDNN_STATUS_{}"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("EXECUTION_FAILED", "still on the CPU"),
        ("BAD_PARAM", "a batch of 0"),
        ("NOT_SUPPORTED. This error may appear if you passed in a non-contiguous input.", "contig"),
        ("ALLOC_FAILED", "memory"),
        ("MAPPING_ERROR", "came earlier"),
    ],
)
def test_each_status_of_cudnn_has_its_commonest_cause_first(status: str, said: str) -> None:
    explanation = explained(STATUS.format(status))
    assert explanation.mistake == "kernel-status"
    assert said in explanation.causes[0].why
    assert len(explanation.causes) <= 4


def test_a_status_while_weights_are_moved_is_that_of_the_installation() -> None:
    frame = 'Traceback (most recent call last):\n  File "torch/nn/modules/rnn.py", line 9, in '
    text = f"{frame}flatten_parameters\n    torch._cudnn_rnn_flatten_weight(\n"
    assert "driver" in explained(text + STATUS.format("EXECUTION_FAILED")).causes[0].why


@pytest.mark.parametrize(
    "text",
    [
        "tensorflow.errors.InternalError: CUDNN_STATUS_EXECUTION_FAILED in tensorflow/cuda_dnn.cc",
        "ExternalError: Cudnn error, CUDNN_STATUS_EXECUTION_FAILED (at paddle/fluid/rnn_op.cu)",
        "IndexError: index 1 is out of bounds for axis 0 with size 1",
        "NameError: name 'x' is not defined",
        "TypeError: 'int' object is not callable",
        "TypeError: Cannot convert double to float",
    ],
)
def test_errors_of_other_libraries_are_not_explained(text: str) -> None:
    assert rnnshape.explain(text) is None


def test_rnn_in_a_message_or_a_file_name_does_not_make_the_layer_an_nn_rnn() -> None:
    text = 'Traceback (most recent call last):\n  File "torch/nn/modules/rnn.py", line 319, in f\n'
    message = "RuntimeError: Expected sequence length to be larger than 0 in RNN"
    assert "the layer needs 1" in explained(text + message).meaning
    assert "the LSTM needs 1" in explained(f"{text}    result = _VF.lstm(x, hx)\n{message}").meaning
    assert "the RNN" in explained("RNN: Expected input to be 2D or 3D, got 4D").meaning


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.mistake)
def test_an_entry_gives_one_to_four_causes_whose_fixes_are_python(entry: Any) -> None:
    for statement in entry.provoked_by:
        names = {"torch": torch, "nn": nn, "z": torch.zeros}
        with pytest.raises(Exception) as caught:  # noqa: PT011
            exec(statement, names)  # noqa: S102
        text = f"{type(caught.value).__name__}: {caught.value}"
        assert 1 <= len(explained(text).causes) <= 4
        for cause in explained(text).causes:
            assert cause.why.endswith(".")
            ast.parse(cause.fix)
