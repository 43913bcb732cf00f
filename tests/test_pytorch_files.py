"""PyTorch's own files: what is read equals what PyTorch loads, and nothing in a file is run."""

from __future__ import annotations

import argparse
import collections
import io
import pickle
import struct
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import nn

from rnnshape import RequestError
from rnnshape.sources.files import pytorch
from rnnshape.sources.files.contents import StateDict
from tests.checkpoints import Net, only, originals, quantized, read, saved, scripted
from tests.mutations import outcome, seeded, survey
from tests.program import PYTHON, spawn

pytestmark = [
    pytest.mark.filterwarnings("ignore:Detected pickle protocol"),
    pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor"),
    pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta"),
]

jit: Any = torch.jit  # which has no types

Described = dict[str, tuple[tuple[int, ...], str]]


def described(state: StateDict) -> Described:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in state.tensors.items()}


def by_pytorch(state: Any) -> Described:
    return {
        name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in state.items()
        if isinstance(tensor, torch.Tensor)
    }


def loaded(data: bytes, protocol: int) -> Any:
    """What PyTorch loads; weights_only knows protocol 2 alone."""
    alone = protocol == 2
    return torch.load(io.BytesIO(data), map_location="meta", weights_only=alone)


def refusal(data: bytes) -> RequestError:
    with pytest.raises(RequestError) as error:
        read(data)
    return error.value


FORMATS = [
    pytest.param({"pickle_protocol": protocol, "legacy": legacy}, id=f"{name}-{protocol}")
    for name, legacy in (("zip", False), ("legacy", True))
    for protocol in (2, 3, 4, 5)
]


class Learned(torch.Tensor):
    pass


def dtypes() -> dict[str, Any]:
    names = (
        "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128"
    )
    return {name: torch.zeros(2, 3).to(getattr(torch, name)) for name in names.split()}


def newer_dtypes() -> dict[str, Any]:
    """Those without a class of storage, which PyTorch cannot load from a legacy file itself."""
    names = "float8_e4m3fn uint16 uint32 uint64"
    return {name: torch.zeros(2, 3).to(getattr(torch, name)) for name in names.split()}


@pytest.mark.parametrize("options", FORMATS)
def test_names_shapes_and_dtypes_are_those_that_pytorch_loads(options: dict[str, Any]) -> None:
    weights = nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2).state_dict()
    newer = {} if options["legacy"] else newer_dtypes()
    data = saved({**dtypes(), **newer, **weights}, **options)
    assert described(only(data)) == by_pytorch(loaded(data, options["pickle_protocol"]))


@pytest.mark.parametrize("options", FORMATS)
def test_state_dicts_are_found_at_any_depth(options: dict[str, Any]) -> None:
    layer = nn.GRU(3, 4)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.zeros(1, 1, 3))[0].sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "model_state": layer.state_dict(),
        "optimizer": optimizer.state_dict(),
        "hyper_parameters": argparse.Namespace(hidden=4, words={"the": 0}),
        "history": collections.defaultdict(list, loss=[0.1, float("nan")]),
        "gan": [("generator", nn.LSTM(1, 2).state_dict())],
        "seen": {1, frozenset({2})},
    }
    contents = read(saved(checkpoint, **options))
    found = {state.keys: described(state) for state in contents.dicts}
    assert found["model_state",] == by_pytorch(layer.state_dict())
    assert found["gan", 0, 1] == by_pytorch(nn.LSTM(1, 2).state_dict())
    moments = found["optimizer", "state", 1]
    assert moments["exp_avg"] == ((12, 4), "float32")
    # 4 weights, 3 tensors of Adam for each, and the weights of the LSTM.
    assert contents.tensors == 4 + 4 * 3 + 4


def values(random: Random, depth: int = 0) -> Any:
    """Random values that torch.save writes and torch.load reads again."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: random.choice([True, 0, -1, 1 << 40, 1 << 200, 0.5, float("inf")]),
        lambda: random.choice(["", "text", "\u20ac", "x" * 5000]),
        lambda: torch.zeros(random.choices(range(4), k=random.randrange(4))),
        lambda: torch.zeros(4, random.randrange(2, 6))[1:3, ::2].T,
        lambda: nn.Parameter(torch.zeros(2, random.randrange(1, 5))),
        lambda: torch.zeros(3).to(random.choice(list(dtypes().values())).dtype),
        lambda: torch.zeros(3, 2).to_sparse(),
        lambda: torch.zeros(3, 2).to_sparse_csr(),
        lambda: torch.zeros(2, device="meta"),
        lambda: torch.Size([1, 2]),
        lambda: random.choice([nn.LSTM, nn.GRU])(2, random.randrange(1, 4)).state_dict(),
    ]
    if depth < 5:
        kinds += [
            lambda: [values(random, depth + 1) for _ in range(random.randrange(4))],
            lambda: tuple(values(random, depth + 1) for _ in range(random.randrange(4))),
            lambda: mapping(random, depth),
            lambda: mapping(random, depth),
            lambda: OrderedDict(mapping(random, depth)),
        ]
    return random.choice(kinds[-8:] if depth < 2 else kinds)()


def mapping(random: Random, depth: int) -> dict[Any, Any]:
    keys: list[Any] = ["model", "state.dict", "weight", "", "\u00e4", "a b", 0, 7, -3, (1, "x")]
    chosen = random.sample(keys, random.randrange(5))
    return {key: values(random, depth + 1) for key in chosen}


def all_dicts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every dict in a value with tensors under texts, and what leads to it."""
    if isinstance(value, dict):
        if tensors := by_pytorch({k: v for k, v in value.items() if isinstance(k, str)}):
            yield path, tensors
        for key, each in value.items():
            yield from all_dicts(each, (*path, "<Record>" if isinstance(key, tuple) else key))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from all_dicts(each, (*path, index))


@pytest.mark.parametrize("seed", range(8))
def test_random_nestings_hold_what_pytorch_loads(seed: int) -> None:
    random = seeded(seed)
    for _ in range(50):
        value = {"root": values(random), "more": values(random)}
        legacy, protocol = random.random() < 0.5, random.randrange(2, 6)
        data = saved(value, legacy=legacy, pickle_protocol=protocol)
        found = [(state.keys, described(state)) for state in read(data).dicts]
        assert found == list(all_dicts(loaded(data, protocol)))


@pytest.mark.parametrize(
    ("value", "count"),
    [(torch.zeros(3), 1), ([torch.zeros(3)] * 2, 1), ({0: torch.zeros(3)}, 1), ({}, 0)],
    ids=["tensor", "list", "numbered", "nothing"],
)
def test_tensors_without_names_are_counted(value: Any, count: int) -> None:
    contents = read(saved(value))
    assert (contents.dicts, contents.tensors) == ((), count)


def test_a_compiled_module_is_the_module() -> None:
    layer = nn.LSTM(3, 4)
    state = only(saved(torch.compile(layer)))
    assert described(state) == by_pytorch(layer.state_dict())
    assert state.attributes[""]["hidden_size"] == 4


def test_tied_weights_share_their_storage_and_views_of_a_flat_one_do_not() -> None:
    layer, flat = nn.LSTM(4, 4), torch.zeros(100)
    layer.weight_hh_l0 = layer.weight_ih_l0
    state = only(saved({**layer.state_dict(), "a": flat[:12].view(3, 4), "b": flat[12:24]}))
    storages = {name: tensor.storage for name, tensor in state.tensors.items()}
    assert storages["weight_ih_l0"] == storages["weight_hh_l0"] is not None
    assert len(set(storages.values())) == len(storages) - 1


def test_wrapped_tensors_are_tensors() -> None:
    tensor = torch.zeros(8, 2)
    state = {
        "subclass": tensor.as_subclass(Learned),
        "parameter": nn.Parameter(tensor),
        "buffer": nn.Buffer(tensor),
        "view": torch.zeros(2, 8).t(),
        "sparse": tensor.to_sparse(),
        "quantized": torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8),
        "channels": torch.quantize_per_channel(
            tensor, torch.ones(8), torch.zeros(8), 0, torch.quint8
        ),
    }
    marked = nn.Parameter(tensor)
    marked.note = "kept"  # type: ignore[attr-defined]
    found = described(only(saved({**state, "marked": marked})))
    assert found == by_pytorch({**state, "marked": marked})


# Whole modules.


def lost(source: str, name: str) -> Any:
    """A class of a module that does not exist, as another person's file has it."""
    namespace: dict[str, Any] = {"nn": nn, "torch": torch, "__name__": "their.models"}
    exec(source, namespace)  # noqa: S102 - the test's own text
    return namespace[name]


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_pickled_module_tells_everything_without_its_class(
    legacy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    from types import ModuleType

    tagger = lost(
        "class Tagger(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.lstm = nn.LSTM(3, 4, 2, batch_first=True, dropout=0.25)\n"
        "        self.rnn = nn.RNN(3, 4, nonlinearity='relu')\n"
        "        self.register_buffer('passing', torch.zeros(2), persistent=False)\n"
        "        self.tied = self.rnn\n",
        "Tagger",
    )
    their = ModuleType("their.models")
    their.Tagger = tagger  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "their", ModuleType("their"))
        patch.setitem(sys.modules, "their.models", their)
        model = nn.DataParallel(tagger())
        data = saved({"net": model, "epoch": 1}, legacy=legacy)
    state = only(data)
    assert state.keys == ("net",)
    assert described(state) == by_pytorch(model.state_dict())
    assert state.attributes["module"]["class"] == "their.models.Tagger"
    layer = state.attributes["module.lstm"]
    assert layer["class"] == "torch.nn.modules.rnn.LSTM"
    fields = ("mode", "input_size", "hidden_size", "num_layers", "batch_first", "dropout")
    assert [layer[name] for name in fields] == ["LSTM", 3, 4, 2, True, 0.25]
    assert state.attributes["module.rnn"]["mode"] == "RNN_RELU"
    assert "their.models" not in sys.modules


def test_a_traced_graph_module_is_a_module() -> None:
    graph = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3)))
    state = only(saved({"graph": nn.ModuleList([graph])}))
    assert described(state) == by_pytorch(nn.ModuleList([graph]).state_dict())


@pytest.mark.parametrize("dtype", [torch.qint8, torch.float16], ids=str)
def test_packed_weights_are_named_in_a_state_dict_a_module_and_an_archive(
    dtype: torch.dtype,
) -> None:
    model = quantized(nn.ModuleDict({"rnn": nn.GRU(3, 4), "cell": nn.GRUCell(3, 5)}), dtype)
    state = only(saved(model.state_dict()))
    weight = {torch.qint8: "qint8", torch.float16: "float32"}[dtype]
    packed = "rnn._all_weight_values.0.param"
    found = described(state)
    assert found[f"{packed}.weight_ih"] == ((12, 3), weight)
    assert found[f"{packed}.weight_hh"] == ((12, 4), weight)
    assert found[f"{packed}.bias_ih"] == found[f"{packed}.bias_hh"] == ((12,), "float32")
    assert found["cell._packed_weight_hh.weight"] == ((15, 5), weight)
    assert described(only(saved(model))) == found


# TorchScript.


@pytest.mark.parametrize("inputs", [(), (torch.zeros(2, 5, 3),)], ids=["scripted", "traced"])
def test_an_archive_holds_what_pytorch_loads(inputs: tuple[torch.Tensor, ...]) -> None:
    data = scripted(Net(), *inputs)
    assert described(only(data)) == by_pytorch(jit.load(io.BytesIO(data)).state_dict())


RANDOM_LAYERS = 6


@pytest.mark.parametrize("traced", [False, True], ids=["scripted", "traced"])
def test_the_code_of_an_archive_tells_the_settings_of_its_layers(traced: bool) -> None:
    random = seeded(int(traced))
    for _ in range(RANDOM_LAYERS):
        layers = random.randrange(1, 4)
        kind = random.choice(["LSTM", "GRU", "RNN_TANH", "RNN_RELU"])
        more: dict[str, Any] = {"nonlinearity": kind[4:].lower()} if "_" in kind else {}
        layer = getattr(nn, kind[:3] if "_" in kind else kind)(
            3,
            4,
            layers,
            bias=random.random() < 0.5,
            batch_first=random.random() < 0.5,
            dropout=random.choice([0.1, 0.25]) if layers > 1 else 0.0,
            bidirectional=random.random() < 0.5,
            **more,
        )
        data = scripted(layer.eval(), *([torch.zeros(2, 5, 3)] if traced else []))
        state = only(data)
        assert described(state) == by_pytorch(layer.state_dict())
        names = ["mode", "num_layers", "bias", "batch_first", "dropout", "bidirectional"]
        if not traced:
            names += ["input_size", "hidden_size", "proj_size"]
        told = state.attributes[""]
        assert {name: told[name] for name in names} == {
            name: getattr(layer, name) for name in names
        }


def test_a_frozen_archive_names_the_weights_that_its_code_lists() -> None:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True, proj_size=2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.lstm(x)[0]
            return output

    model = Encoder().eval()
    *_, state = read(scripted(jit.freeze(jit.script(model)))).dicts
    assert described(state) == by_pytorch(model.state_dict())
    assert state.attributes["lstm"]["batch_first"] is True


def test_an_archive_of_a_function_has_no_tensors() -> None:
    def doubled(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    assert read(scripted(doubled)).tensors == 0


# Older and other pickles.


def in_legacy_file(pickled: bytes, keys: list[str], data: bytes) -> bytes:
    """The pickle where files before PyTorch 1.6 have it, protocol 0 all around."""
    magic = b"L%dL\n." % 0x1950A86A20F9469CFC6C
    head = magic + b"I1001\n.(dp0\nS'little_endian'\nI01\ns."
    return head + pickled + pickle.dumps(keys, protocol=0) + data


def test_protocol_0_is_read() -> None:
    mapping = (
        b"(dp0\nV" + b"weight_hh_l0\np1\nctorch._utils\n_rebuild_tensor\n"
        b"((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI16\nNtQI0\n(I8\nI2\nt(I2\nL1L\nttRs."
    )
    data = in_legacy_file(mapping, ["0"], struct.pack("<q", 16) + bytes(64))
    assert described(only(data)) == {"weight_hh_l0": ((8, 2), "float32")}


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle_of_tensors_is_read(protocol: int) -> None:
    state = nn.GRU(3, 40).half().state_dict()
    data = pickle.dumps({"state": state}, protocol=protocol)
    assert read(data).format == "Python pickle"
    assert described(only(data)) == by_pytorch(state)


def test_a_pickle_of_another_program_is_named() -> None:
    error = refusal(pickle.dumps(argparse.Namespace(a=1)))
    assert error.problem == (
        "it is a Python pickle of argparse.Namespace, without PyTorch's tensors"
    )
    assert "torch.save(model.state_dict(), FILE)" in error.hint


# What a file may not do.


class Payload:
    """Writes a file when it is unpickled, by any of the ways that a pickle has."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return exec, (singing(self.canary),)


def singing(canary: Path) -> str:
    return f"__import__('pathlib').Path({str(canary)!r}).touch()"


def spellings(canary: Path) -> dict[str, bytes]:
    code = singing(canary).encode()
    text = b"X" + struct.pack("<I", len(code)) + code
    line = b"V" + code + b"\n"
    nested = pickle.dumps(Payload(canary))
    return {
        "REDUCE": b"\x80\x02cbuiltins\nexec\n" + text + b"\x85R.",
        "REDUCE, Python 2": b"c__builtin__\neval\n(" + line + b"tR.",
        "NEWOBJ": b"\x80\x02cbuiltins\nexec\n" + text + b"\x85\x81.",
        "NEWOBJ_EX": b"\x80\x04cbuiltins\nexec\n" + text + b"\x85}\x92.",
        "INST": b"(" + line + b"ibuiltins\nexec\n.",
        "OBJ": b"(cbuiltins\nexec\n" + text + b"o.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93" + text + b"\x85R.",
        "computed name": b"\x80\x04\x8c\x08builtinscbuiltins\ngetattr\n)R\x93.",
        "dotted name": b"\x80\x04\x8c\x02os\x8c\x0bpath.system\x93" + text + b"\x85R.",
        "BUILD": b"\x80\x02ccollections\nOrderedDict\n)R}X\x0c\0\0\0__setstate__cbuiltins\nexec\nsb"
        + text
        + b"b.",
        "BUILD of a record": b"\x80\x02ca\nb\n)\x81}X\x0c\0\0\0__setstate__cbuiltins\nexec\nsb"
        + text
        + b"b.",
        "APPEND": b"\x80\x02ca\nb\n)R}X\x06\0\0\0appendcbuiltins\nexec\nsb" + text + b"a.",
        "extension": b"\x80\x02\x82\x01" + text + b"\x85R.",
        "extension of 4 bytes": b"\x80\x02\x84\x01\0\0\0" + text + b"\x85R.",
        "persistent id": b"\x80\x02(X\x07\0\0\0storagecbuiltins\nexec\n"
        + text
        + b"X\x03\0\0\0cpuK\x01tQ.",
        "persistent id, a payload": b"\x80\x02cbuiltins\nexec\n" + text + b"\x85RQ.",
        "persistent id of a line": b"P" + code + b"\n.",
        "copyreg": b"\x80\x02ccopyreg\n__newobj__\ncbuiltins\nexec\n" + text + b"\x86R.",
        "nested": b"\x80\x04cpickle\nloads\nB"
        + struct.pack("<I", len(nested))
        + nested
        + b"\x85R.",
        "nested file": b"\x80\x04ctorch.storage\n_load_from_bytes\nB"
        + struct.pack("<I", len(nested))
        + nested
        + b"\x85R.",
        "subclass": b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cbuiltins\nexec\nN"
        + text
        + b"\x85NtR.",
        "key": b"\x80\x02}cbuiltins\nexec\n" + text + b"\x85RK\x01s.",
        "import": b"\x80\x02cthis_is_imported\nname\n.",
    }


SPELLINGS = list(spellings(Path("canary")))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("place", ["plain", "zip", "legacy", "constants"])
def test_no_payload_is_run(spelling: str, place: str, tmp_path: Path) -> None:
    import sys

    canary = tmp_path / "canary"
    pickled = spellings(canary)[spelling]
    assert outcome(pytorch.read, in_place(pickled, place)) in ("read", "refused")
    assert not canary.exists()
    assert "this_is_imported" not in sys.modules


def in_place(pickled: bytes, place: str) -> bytes:
    if place == "plain":
        return pickled
    if place == "legacy":
        return in_legacy_file(pickled, [], b"")
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}." if place == "constants" else pickled)
        if place == "constants":
            archive.writestr("a/constants.pkl", pickled)
    return file.getvalue()


def test_a_payload_that_pickle_runs_is_one(tmp_path: Path) -> None:
    """The canary of these tests does sing."""
    canary = tmp_path / "canary"
    pickle.loads(spellings(canary)["REDUCE"])  # noqa: S301 - a test's own payload
    assert canary.exists()


def test_mutations_are_read_or_refused() -> None:
    outcomes = survey(pytorch.read, originals(), count=600, seed=9)
    assert min(outcomes["read"], outcomes["refused"]) > 100


# Damage, and what takes too much.


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names
        with zipfile.ZipFile(file := io.BytesIO(), "w", method) as archive:
            for name, data in entries:
                archive.writestr(name, data)
    return file.getvalue()


WEIGHTS = nn.GRU(3, 4).state_dict()
ZIP, LEGACY = saved(WEIGHTS), saved(WEIGHTS, legacy=True)
OBJECT = LEGACY.index(b"\x80\x02ccollections")
BOMB = packed([("a/data.pkl", b"\x80\x02" + b"N" * 100_000_000 + b".")], zipfile.ZIP_DEFLATED)


def claiming(shape: bytes) -> bytes:
    """A file of 200 bytes with a tensor of this shape."""
    return packed(
        [
            (
                "a/data.pkl",
                b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
                b"ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x08tQK\0"
                + shape
                + b"\x89)tRs.",
            )
        ]
    )


REFUSED = {
    "empty": (b"", "it is empty"),
    "zip cut short": (
        ZIP[:-100],
        "its end is missing, where a zip archive has its directory: it is incomplete",
    ),
    "legacy file cut short": (
        LEGACY[:-1],
        f"it ends after {len(LEGACY) - 1:,} of {len(LEGACY):,} bytes: it is incomplete",
    ),
    "legacy pickle cut short": (
        LEGACY[:300],
        f"the pickle in it is damaged near byte {299 - OBJECT}: it ends there",
    ),
    "same name twice": (
        packed([*entries(ZIP).items(), ("archive/data.pkl", b"N.")]),
        "the zip archive has two entries named archive/data.pkl",
    ),
    "bomb": (BOMB, "a/data.pkl in it has more than 16 MiB when unpacked"),
    "no pickle": (
        packed([("weights.bin", b"")]),
        "it is a zip archive without data.pkl, which torch.save and torch.jit.save write",
    ),
    "2 ** 40 rows": (
        claiming(b"\x8a\x06\0\0\0\0\0\x01K\x01\x86K\x01K\x01\x86"),
        f"a tensor in it claims shape ({2**40}, 1), more than the 32 bytes of its storage hold",
    ),
    "negative rows": (
        claiming(b"J\xff\xff\xff\xffK\x01\x86K\x01K\x01\x86"),
        "a tensor in it is malformed: its shape is not valid",
    ),
    "no opcode": (b"\x80\x02?.", "the pickle in it is damaged near byte 2: b'?' is not an opcode"),
    "nothing on the stack": (
        b"\x80\x02\x85.",
        "the pickle in it is damaged near byte 2: it needs a value that is not there",
    ),
    "protocol 6": (
        b"\x80\x06N.",
        "the pickle in it is damaged near byte 1: its protocol is 6; only 0 to 5 exist",
    ),
    "huge integer": (
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "the pickle in it is damaged near byte 6: an integer has 2,147,483,647 bytes",
    ),
    "a text of 2 ** 63 bytes": (
        b"\x80\x04\x8d" + b"\xff" * 8 + b".",
        "the pickle in it is damaged near byte 11: it ends there",
    ),
    "module in itself": (
        (
            b"\x80\x02ca\nb\n)Rq\0}(X\x0b\0\0\0_parameters}X\x08\0\0\0_buffers}"
            b"X\x08\0\0\0_modules}X\x01\0\0\0mh\0sub."
        ),
        "the modules in it are nested without end, or more than 200 deep",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_is_wrong_and_what_to_do(case: str) -> None:
    data, problem = REFUSED[case]
    error = refusal(data)
    assert error.problem == problem
    assert "again" in error.hint or "FILE" in error.hint or "inspect the file" in error.hint


def test_a_frame_that_lies_changes_nothing() -> None:
    data = pickle.dumps(WEIGHTS, protocol=4)
    lying = data[:3] + b"\xff" * 8 + data[11:]
    assert described(only(lying)) == by_pytorch(WEIGHTS)


def test_an_archive_that_was_packed_again_with_compression_is_read() -> None:
    again = packed(entries(ZIP).items(), zipfile.ZIP_DEFLATED)
    assert described(only(again)) == by_pytorch(WEIGHTS)


def test_a_value_that_holds_itself_is_looked_through_once() -> None:
    value: dict[str, Any] = {"state": WEIGHTS}
    value["self"] = value
    assert described(only(saved(value))) == by_pytorch(WEIGHTS)


class Counted(io.FileIO):
    """A file that counts what is read of it."""

    count = 0

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self.count += count or 0
        return count

    def read(self, size: int | None = -1) -> Any:
        data = super().read(size)
        self.count += len(data)
        return data


LARGE_LAYERS = 166


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of 1.4 GB and 664 tensors, whose data are holes."""
    with torch.device("meta"):
        layers = nn.ModuleList([nn.LSTM(512, 512) for _ in range(LARGE_LAYERS)])
    path = tmp_path_factory.mktemp("large") / "large.pt"
    layers.to_empty(device="cpu")
    with torch.serialization.skip_data():
        torch.save({"model_state": layers.state_dict()}, path)
    assert path.stat().st_size > 1.39e9
    return path


def test_of_a_large_file_little_is_read(large: Path) -> None:
    counted = Counted(large)
    with io.BufferedReader(counted) as file:
        contents = pytorch.read(file)
        assert contents.tensors == 4 * LARGE_LAYERS
        assert counted.count < 1 << 18


def test_a_large_file_takes_little_memory(large: Path) -> None:
    assert int(spawn("-c", MEASURES, str(large), program=PYTHON).out) < 60


HOGS = {
    "dicts": b"\x80\x02" + b"}" * 5_000_000 + b".",
    "marks": b"\x80\x02" + b"(" * 5_000_000 + b".",
    "deep": b"\x80\x02)" + b"\x85" * 3_000_000 + b".",
    "doubled": b"\x80\x02)" + b"2\x86" * 1_500_000 + b".",
    "long texts": b"\x80\x02" + (b"X\x00\x04\x00\x00" + b"a" * 1024) * 40_000 + b".",
}
MEASURES = """
import sys
from rnnshape import RequestError
from rnnshape.sources.files import pytorch
try:
    pytorch.read(open(sys.argv[1], "rb"))
except RequestError as error:
    print(error.problem)
(peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize("hog", HOGS)
def test_no_pickle_takes_more_than_half_a_gigabyte(hog: str, tmp_path: Path) -> None:
    file = tmp_path / "hog.pt"
    file.write_bytes(HOGS[hog])
    problem, peak = spawn("-c", MEASURES, str(file), program=PYTHON).out.splitlines()
    assert problem
    assert int(peak) < 512
