"""safetensors: headers are read as the library reads them, and what it refuses is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from rnnshape.errors import RequestError
from rnnshape.sources.files.registry import read_file
from rnnshape.sources.files.safetensors import _DTYPES
from tests.filing import mutations, read_bytes, read_or_refused, refusal, safetensors, shapes

DAMAGED = "it is cut short or damaged: copy or download it again"


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_it_holds_what_the_library_wrote(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    state = torch.nn.LSTM(3, 4, 2, bidirectional=True).half().state_dict()
    state["empty"] = torch.zeros(0, 3)
    state["scalar"] = torch.tensor(1)
    library.save_file(state, tmp_path / "a", metadata={"format": "pt"})
    found = shapes(read_file(tmp_path / "a"))
    assert found == {n: (tuple(t.shape), str(t.dtype)[6:]) for n, t in state.items()}


@pytest.mark.parametrize("code", sorted(_DTYPES))
def test_a_dtype_has_pytorchs_name_and_size(code: str, tmp_path: Path) -> None:
    name, bits = _DTYPES[code]
    if hasattr(torch, name) and bits >= 8:
        assert getattr(torch, name).itemsize * 8 == bits
    data = safetensors({"a": entry(code, [8], 0, bits)}, b"\0" * bits)
    assert shapes(read_bytes(data, tmp_path)) == {"a": ((8,), name)}


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int64", "bfloat16", "complex64"])
def test_the_librarys_dtypes_are_known(name: str, tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    data = library.save({"a": torch.zeros(2, 3, dtype=getattr(torch, name))})
    assert shapes(read_bytes(data, tmp_path)) == {"a": ((2, 3), name)}


ONE = entry("F32", [2, 3], 0, 24)
WRONG = {
    "longer header than file": (
        (10_000).to_bytes(8, "little") + b"{}",
        "its header has 10,000 bytes, but the whole file 10",
    ),
    "no JSON": (safetensors(b"{nothing}"), "its header is not valid JSON"),
    "no UTF-8": (safetensors(b'{"\xff": 1}'), "its header is not valid JSON"),
    "missing data": (
        safetensors({"a": ONE}, b"\0" * 20),
        "its tensors take 24 bytes of data, but 20 follow the header",
    ),
    "more data": (
        safetensors({"a": ONE}, b"\0" * 30),
        "its tensors take 24 bytes of data, but 30 follow the header",
    ),
    "overlap": (
        safetensors({"a": ONE, "b": entry("F32", [3], 12, 24)}, b"\0" * 24),
        "the data of its tensors overlaps or has gaps",
    ),
    "gap": (
        safetensors({"a": ONE, "b": entry("F32", [1], 28, 32)}, b"\0" * 32),
        "the data of its tensors overlaps or has gaps",
    ),
    "wrong shape": (
        safetensors({"a": entry("F32", [2, 4], 0, 24)}, b"\0" * 24),
        "its tensor a has 24 bytes of data, which does not fit its shape",
    ),
    "2**40 rows": (
        safetensors({"a": entry("F32", [2**40, 2**40, 2**40], 0, 24)}, b"\0" * 24),
        "its tensor a has 24 bytes of data, which does not fit its shape",
    ),
    "negative": (
        safetensors({"a": entry("F32", [-2, -3], 0, 24)}, b"\0" * 24),
        "its tensor a has a negative or huge size",
    ),
    "a bool": (
        safetensors({"a": entry("F32", [True, 6], 0, 24)}, b"\0" * 24),
        "its tensor a has a negative or huge size",
    ),
    "no offsets": (
        safetensors({"a{b}\n": {"dtype": "F32"}}),
        r"its tensor 'a{b}\n' has no dtype, shape and data_offsets",
    ),
    "unknown dtype": (
        safetensors({"a": entry("F31", [2, 3], 0, 24)}, b"\0" * 24),
        "its tensor a has the dtype F31, which is not known",
    ),
    "the same name twice": (
        safetensors(b'{"a": %b, "a": %b}' % ((json.dumps(ONE).encode(),) * 2), b"\0" * 24),
        "its header has the key a twice",
    ),
    "metadata": (
        safetensors({"__metadata__": {"a": 1}}),
        "__metadata__ of its header does not map strings to strings",
    ),
    "deep": (safetensors(b'{"a":' + b"[" * 100_000), "its header is nested too deeply"),
    "many values": (
        safetensors(b'{"a":[' + b"0," * 600_000 + b"0]}"),
        "its header is too large: 1,200,009 bytes with 600,002 values",
    ),
}


@pytest.mark.parametrize(("data", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_header_is_refused(data: bytes, problem: str, tmp_path: Path) -> None:
    assert refusal(data, tmp_path)[0] == problem


@pytest.mark.parametrize("case", sorted(WRONG.keys() - {"many values", "the same name twice"}))
def test_the_library_refuses_it_too(case: str) -> None:
    """But for names that are twice, which the format forbids and the library takes."""
    library = pytest.importorskip("safetensors")
    with pytest.raises((library.SafetensorError, OverflowError)):
        library.deserialize(WRONG[case][0])


def test_an_incomplete_download_is_told(tmp_path: Path) -> None:
    whole = safetensors({"a": ONE}, b"\0" * 24)
    assert {refusal(whole[:size], tmp_path)[1] for size in range(9, len(whole))} == {DAMAGED}


def test_mutations_are_read_as_the_library_reads_them_or_refused(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors")
    state = {"lstm.w": entry("F32", [2, 3], 0, 24), "b": entry("BF16", [2], 24, 28)}
    read = 0
    for data in mutations(safetensors(state, b"\0" * 28), 1500, seed=7):
        contents = read_or_refused(data, tmp_path)
        found = shapes(contents) if contents is not None else {}
        if found:
            theirs = {n: tuple(t["shape"]) for n, t in library.deserialize(data)}
            assert theirs == {name: shape for name, (shape, _) in found.items()}
            read += 1
    assert read > 50


def index(folder: Path, weight_map: object) -> Path:
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 48}, "weight_map": weight_map}))
    return path


def sharded(folder: Path) -> Path:
    for number, name in enumerate(("a", "b"), 1):
        data = safetensors({name: ONE}, b"\0" * 24)
        (folder / f"model-0000{number}-of-00002.safetensors").write_bytes(data)
    return index(
        folder,
        {"b": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors"},
    )


def test_the_shards_of_an_index_are_one_state_dict(tmp_path: Path) -> None:
    contents = read_file(sharded(tmp_path))
    assert contents.format == "safetensors in 2 shards"
    assert contents.tensors == 2
    assert list(shapes(contents).items()) == [
        ("b", ((2, 3), "float32")),
        ("a", ((2, 3), "float32")),
    ]


def test_missing_shards_are_named(tmp_path: Path) -> None:
    path = sharded(tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(RequestError) as caught:
        read_file(path)
    assert caught.value.problem.removeprefix(f"{path}: ") == (
        "1 of its 2 shards are missing: model-00002-of-00002.safetensors"
    )
    assert caught.value.hint == "put them beside it, or give the file of one shard"


@pytest.mark.parametrize(
    ("weight_map", "problem"),
    [
        ({"a": "../a"}, "its weight_map names ../a, which is not beside it"),
        ({"a": "/etc/passwd"}, "its weight_map names /etc/passwd, which is not beside it"),
        ({"a": "a\0b"}, r"its weight_map names 'a\x00b', which is not beside it"),
        ({"a": 3}, "its weight_map is not a table of file names"),
        ([], "its weight_map is not a table of file names"),
        ({}, "its weight_map names 0 files"),
        (
            {"other": "model-00001-of-00002.safetensors"},
            "model-00001-of-00002.safetensors has no tensor other",
        ),
    ],
)
def test_an_index_names_the_files_beside_it(
    weight_map: object, problem: str, tmp_path: Path
) -> None:
    sharded(tmp_path)
    path = index(tmp_path, weight_map)
    with pytest.raises(RequestError) as caught:
        read_file(path)
    assert caught.value.problem.removeprefix(f"{path}: ") == problem


def test_an_index_that_names_itself_ends(tmp_path: Path) -> None:
    path = index(tmp_path, {"a": "model.safetensors.index.json"})
    with pytest.raises(RequestError, match="it is JSON, not weights"):
        read_file(path)
