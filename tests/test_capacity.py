"""Bytes that a run needs, and bytes that the machine and its control groups leave."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape import DType, InputSpec, Kind, RequestError, RNNConfig
from rnnshape.layer.allocation import inference_peak, training_peak
from rnnshape.layer.machine import available_memory
from rnnshape.layer.memory import (
    Need,
    need,
    need_of_timing,
    need_of_training,
    out_of_memory,
    require_memory,
    require_room_for_torch,
    require_runnable,
    scale_power,
    written_bytes,
)
from rnnshape.layer.settings import Optimizer
from tests import reference
from tests.strategies import configs, examples, inputs
from tests.subjects import subject

_LSTM = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True)
_SPEC = InputSpec(seq_len=10, batch_size=5)


def test_a_run_needs_the_largest_weight_of_each_scale_and_what_the_top_layer_holds() -> None:
    needed = need(subject(_LSTM, InputSpec(seq_len=100, batch_size=64)))
    # Four bytes of weight_ih_l0, weight_ih_l1 and weight_hh_l0, of 160 rows; 20, 80 and 40 columns
    # are up to 32, 128 and 64.
    assert needed.weights == 4 * 160 * (20 + 80 + 40)
    rows = 100 * 64
    held = rows * 20  # the input
    held += 2 * 8 * 64 * 40  # h_0 and c_0
    held += rows * 80  # what the top layer reads
    # Its gates, a list and a tensor of each direction's outputs, and both side by side.
    held += rows * 4 * 40 + 4 * rows * 40 + rows * 80
    held += rows * 4 * 40  # a hole that the gates of the layer below have left in the heap
    # The rest is objects of each step, and states of the layers below.
    assert 4 * held <= needed.activations <= 4.2 * held
    assert needed.total == needed.weights + needed.activations


def test_many_steps_of_a_narrow_layer_need_room_for_their_objects() -> None:
    config = RNNConfig(kind=Kind.RNN, input_size=1, hidden_size=1)
    needed = need(subject(config, InputSpec(batch_size=1, seq_len=3_000_000)))
    assert needed.total == pytest.approx(1_831 * 2**20, rel=0.1)  # measured on a run by itself


@pytest.mark.parametrize(
    ("dtype", "drawn"),
    [(DType.BFLOAT16, 6), (DType.FLOAT32, 4), (DType.FLOAT64, 12), (DType.COMPLEX128, 24)],
    ids=lambda value: getattr(value, "value", value),
)
def test_a_wide_input_is_drawn_in_single_precision_before_it_is_converted(
    dtype: DType, drawn: int
) -> None:
    wide = RNNConfig(kind=Kind.RNN, input_size=10_000, hidden_size=1)
    needed = need(subject(wide, InputSpec(batch_size=50, seq_len=20), dtype=dtype))
    assert needed.activations == pytest.approx(drawn * 10_000 * 1000, rel=0.01)


@examples(100)
@given(configs(), inputs())
def test_a_run_needs_no_less_than_the_tensors_that_pytorch_makes(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    needed = need(subject(config, input_spec))
    layer = reference.built(config)
    sizes = [weight.nbytes for weight in layer.parameters()]
    assert max(sizes) <= needed.weights <= sum(sizes)
    tensors = reference.called(layer, config, input_spec).values()
    assert needed.activations >= sum(tensor.nbytes for tensor in tensors)


@pytest.mark.parametrize(
    ("shape", "power"), [((8, 1), 0), ((8, 2), 1), ((8, 64), 6), ((8, 65), 7), ((8,), 4)]
)
def test_weights_are_scaled_by_the_power_of_two_above_their_columns(
    shape: tuple[int, ...], power: int
) -> None:
    assert scale_power(shape, hidden_size=16) == power


def test_a_device_holds_all_weights() -> None:
    assert need(subject(_LSTM, device="cuda")).weights == 4 * 136_960


def test_layers_that_are_timed_hold_their_inputs_and_one_call_at_a_time() -> None:
    small = subject(RNNConfig(kind=Kind.GRU), InputSpec(seq_len=20, batch_size=3))
    large = subject(RNNConfig(kind=Kind.LSTM, hidden_size=400), InputSpec(seq_len=50, batch_size=8))
    inputs = 4 * 20 * 3 * 20, 4 * 50 * 8 * 20  # bytes of float32
    alone = [need_of_timing(each) for each in (small, large)]
    assert alone[1].activations == inference_peak(large, onednn=True)
    together = need_of_timing(small, large)
    assert together.weights == 4 * (small.parameters + large.parameters)
    assert alone[0].activations - inputs[0] < alone[1].activations - inputs[1]
    assert together.activations == inputs[0] + alone[1].activations
    assert need_of_timing(large, small) == together


@pytest.mark.parametrize(
    ("optimizer", "copies"), [(Optimizer.SGD, 2), (Optimizer.ADAM, 4), (Optimizer.ADAMW, 4)]
)
def test_a_training_step_has_the_weights_their_gradients_and_the_optimizers_moments(
    optimizer: Optimizer, copies: int
) -> None:
    layer = subject(_LSTM, _SPEC, optimizer=optimizer)
    needed = need_of_training(layer)
    assert needed.weights == copies * 4 * 136_960
    assert needed.activations == training_peak(layer, onednn=True)


def test_what_just_fits_is_run() -> None:
    require_memory(Need(weights=600, activations=400), 1000, device="cpu")


def test_what_is_not_known_to_be_too_much_is_run() -> None:
    require_memory(Need(weights=10**30, activations=0), None, device="mps")


def test_a_byte_too_many_is_refused_with_both_figures() -> None:
    with pytest.raises(RequestError) as refusal:
        require_memory(Need(weights=600, activations=401), 1000, device="cuda:1")
    assert refusal.value.problem == (
        "a run on cuda:1 needs 1,001 bytes besides torch itself (600 bytes of it weights);"
        " 1,000 bytes are available"
    )
    assert refusal.value.hint == (
        "run=False computes everything by formula; device='meta' allocates nothing"
    )


def test_torch_is_not_imported_where_nothing_would_be_left() -> None:
    for available in (None, 1):
        require_room_for_torch(available)
    with pytest.raises(RequestError) as refusal:
        require_room_for_torch(0)
    assert (
        refusal.value.problem == "importing torch takes all the memory that this process may have"
    )
    assert refusal.value.hint == "run=False computes everything by formula, without torch"


def test_an_allocation_that_failed_is_told_with_what_was_estimated() -> None:
    error = out_of_memory(Need(weights=600, activations=401), device="cpu")
    assert error.problem == "a run on cpu needs about 1,001 bytes, and an allocation failed"
    assert error.hint == "run=False computes everything by formula"


_NARROW = RNNConfig(kind=Kind.RNN, hidden_size=1)
_STEP = InputSpec(batch_size=1, seq_len=1)


@pytest.mark.parametrize(
    ("most", "dtype"),
    [
        pytest.param(2**63 - 1, DType.FLOAT8_E5M2, id="one byte each"),
        pytest.param(2**61 - 1, DType.FLOAT32, id="four bytes each"),
        pytest.param(2**59 - 1, DType.COMPLEX128, id="sixteen bytes each"),
    ],
)
def test_the_largest_tensor_has_2_to_the_63_bytes_less_one_element(most: int, dtype: DType) -> None:
    require_runnable(subject(replace(_NARROW, input_size=most), _STEP, dtype=dtype))
    beyond = subject(replace(_NARROW, input_size=most + 1), _STEP, dtype=dtype)
    with pytest.raises(RequestError) as refusal:
        require_runnable(beyond)
    assert refusal.value.problem == (
        f"input would take {2**63:,} bytes; PyTorch allows at most 2**63 - 1"
    )


@pytest.mark.parametrize(
    ("config", "input_spec", "name"),
    [
        pytest.param(replace(_NARROW, hidden_size=2**31), _STEP, "weight_hh_l0", id="weight_hh"),
        pytest.param(
            RNNConfig(
                kind=Kind.LSTM,
                input_size=1,
                hidden_size=2**56,
                proj_size=4,
                num_layers=2,
                bidirectional=True,
            ),
            _STEP,
            "weight_ih_l1",
            id="the second layer's weight_ih",
        ),
        pytest.param(
            replace(_NARROW, input_size=1, hidden_size=2**29, num_layers=2),
            InputSpec(batch_size=2**31, seq_len=1),
            "h_0",
            id="states",
        ),
        pytest.param(
            _NARROW, InputSpec(batch_size=0, seq_len=2**61), "input", id="sizes beside an empty one"
        ),
        pytest.param(
            # 2**62 bytes of output; the products have 4 times as many numbers.
            RNNConfig(kind=Kind.LSTM, input_size=1, hidden_size=2**20),
            InputSpec(batch_size=1, seq_len=2**40),
            "input @ weight_ih.T",
            id="four gates of all steps",
        ),
    ],
)
def test_the_first_tensor_that_is_too_large_is_named(
    config: RNNConfig, input_spec: InputSpec, name: str
) -> None:
    with pytest.raises(RequestError, match=f"^{re.escape(name)} would take") as refusal:
        require_runnable(subject(config, input_spec))
    assert refusal.value.hint == "run=False computes everything by formula"


def test_the_most_weights_are_built() -> None:
    most = RNNConfig(kind=Kind.RNN, bidirectional=True, num_layers=12_500)  # 8 weights a layer
    require_runnable(subject(most, _SPEC))
    with pytest.raises(RequestError) as refusal:
        require_runnable(subject(replace(most, num_layers=12_501), _SPEC))
    assert refusal.value.problem == "a run would build 100,008 weights; the most is 100,000"
    assert refusal.value.hint == "run=False computes everything by formula"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        pytest.param(0, "0 bytes", id="nothing"),
        pytest.param(547_840, "547,840 bytes", id="below a mebibyte, exactly"),
        pytest.param(2**20 - 1, "1,048,575 bytes", id="one less than a mebibyte"),
        pytest.param(2**20, "1.00 MiB", id="a mebibyte"),
        pytest.param(3 * 2**19, "1.50 MiB", id="one and a half"),
        pytest.param(2**30 - 1, "1,023.99 MiB", id="just below a gibibyte"),
        pytest.param(2**30, "1.00 GiB", id="a gibibyte"),
        pytest.param(2**40, "1.00 TiB", id="a tebibyte"),
        pytest.param(2**50, "1.00 PiB", id="a pebibyte"),
        pytest.param(2**60, "1.00 EiB", id="an exbibyte"),
        pytest.param(5 * 2**80, "5,242,880.00 EiB", id="beyond the last unit"),
    ],
)
def test_bytes_are_written_for_a_person(count: int, text: str) -> None:
    assert written_bytes(count) == text


@given(st.integers(2**20, 2**70))
def test_written_bytes_are_never_more_than_there_are(count: int) -> None:
    number, unit = written_bytes(count).replace(",", "").split()
    power = {"MiB": 20, "GiB": 30, "TiB": 40, "PiB": 50, "EiB": 60}[unit]
    hundredths = int(number.replace(".", ""))
    assert hundredths * 2**power <= count * 100 < (hundredths + 1) * 2**power


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


_MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n"
_MACHINE = 8000 * 1024
_V2 = "sys/fs/cgroup"
_V1 = "sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("files", "left"),
    [
        pytest.param({}, None, id="nothing is known"),
        pytest.param({"proc/meminfo": "MemTotal: 16000000 kB\n"}, None, id="an old kernel"),
        pytest.param({"proc/meminfo": _MEMINFO}, _MACHINE, id="the machine alone"),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/\n",
                f"{_V2}/memory.max": "max\n",
                f"{_V2}/memory.current": "5000\n",
            },
            _MACHINE,
            id="v2 without a limit",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/a/b\n",
                f"{_V2}/a/b/memory.max": "6000\n",
                f"{_V2}/a/b/memory.current": "1000\n",
            },
            5000,
            id="v2, the limit less what is used",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/a/b\n",
                f"{_V2}/a/b/memory.max": "6000\n",
                f"{_V2}/a/b/memory.current": "1000\n",
                f"{_V2}/a/b/memory.stat": "anon 3\nfile 900\ninactive_file 700\nactive_file 200\n",
            },
            5700,
            id="v2, the file cache is given back",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/a/b/c\n",
                f"{_V2}/a/b/c/memory.max": "max\n",
                f"{_V2}/a/b/c/memory.current": "100\n",
                f"{_V2}/a/b/memory.max": "7000\n",
                f"{_V2}/a/b/memory.current": "200\n",
                f"{_V2}/a/memory.max": "6000\n",
                f"{_V2}/a/memory.current": "5000\n",
            },
            1000,
            id="v2, an outer group is the tightest",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/docker/of/the/host\n",
                f"{_V2}/memory.max": "6000\n",
                f"{_V2}/memory.current": "4000\n",
            },
            2000,
            id="v2, the group's own path is not visible in a container",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/a\n",
                f"{_V2}/a/memory.max": "1000\n",
                f"{_V2}/a/memory.current": "3000\n",
            },
            0,
            id="v2, more is used than the limit",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/a\n",
                f"{_V2}/a/memory.max": "1000\n",
            },
            _MACHINE,
            id="v2, a limit without a use",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "0::/a\n",
                "memory.max": "1\n",
                "memory.current": "1\n",
                "sys/memory.max": "1\n",
                "sys/memory.current": "1\n",
            },
            _MACHINE,
            id="folders above the groups are none",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n1:name=systemd:/x\n",
                f"{_V1}/docker/abc/memory.limit_in_bytes": "4000\n",
                f"{_V1}/docker/abc/memory.usage_in_bytes": "1500\n",
                f"{_V1}/docker/abc/memory.stat": "inactive_file 9\ntotal_inactive_file 500\n",
            },
            3000,
            id="v1",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/cgroup": "5:hugetlb,memory:/\n0::/\n",
                f"{_V1}/memory.limit_in_bytes": "9223372036854771712\n",
                f"{_V1}/memory.usage_in_bytes": "5000\n",
                f"{_V2}/memory.max": "7000\n",
                f"{_V2}/memory.current": "1\n",
            },
            6999,
            id="v1 without a limit, beside v2 with one",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/limits": "Max address space  6000000  unlimited  bytes \n",
                "proc/self/status": "VmPeak:\t    5000 kB\nVmSize:\t    2000 kB\n",
            },
            6_000_000 - 2000 * 1024,
            id="a limit on addresses",
        ),
        pytest.param(
            {
                "proc/meminfo": _MEMINFO,
                "proc/self/limits": "Max address space  unlimited  unlimited  bytes \n",
                "proc/self/status": "VmSize:\t    2000 kB\n",
            },
            _MACHINE,
            id="no limit on addresses",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/a:b\n",
                f"{_V2}/a:b/memory.max": "6000\n",
                f"{_V2}/a:b/memory.current": "1000\n",
            },
            5000,
            id="a colon in a name, and no figures of the machine",
        ),
    ],
)
def test_what_is_left_is_the_least_of_the_machine_and_its_groups(
    files: dict[str, str], left: int | None, tmp_path: Path
) -> None:
    assert available_memory(_tree(tmp_path, files)) == left


def test_something_is_left_on_this_machine() -> None:
    left = available_memory()
    if Path("/proc/meminfo").exists():
        assert left is not None
        assert left > 2**20
    else:
        assert left is None
