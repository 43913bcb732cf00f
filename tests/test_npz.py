"""npz and npy: the headers that numpy writes; nothing that is pickled in them is loaded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from rnnshape.sources.files.registry import read_file
from tests.filing import mutations, read_bytes, read_or_refused, refusal, shapes, zipped

np: Any = pytest.importorskip("numpy")


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, allow_pickle=True)
    return file.getvalue()


def headed(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


@pytest.mark.parametrize("save", ["savez", "savez_compressed"])
def test_it_holds_what_numpy_wrote(save: str, tmp_path: Path) -> None:
    arrays = {
        "encoder.lstm.weight_ih_l0": np.zeros((160, 20), "f4"),
        "encoder/lstm/bias_ih_l0": np.zeros((160,), "f2"),
        "fortran": np.zeros((3, 4), "f8", order="F"),
        "scalar": np.array(3),
        "empty": np.zeros((0, 3), "u1"),
        "big": np.zeros((2, 2), ">i2"),
        "flags": np.zeros((2,), "?"),
        "complex": np.zeros((2,), "c8"),
        "texts": np.array(["a", "b"]),
        "objects": np.array([{}], dtype=object),
        "records": np.zeros(3, [("a", "f4"), ("b", "i4", (2,))]),
    }
    getattr(np, save)(tmp_path / "a.npz", **arrays)
    contents = read_file(tmp_path / "a.npz")
    assert contents.format == "NumPy archive"
    assert shapes(contents) == {
        name.replace("/", "."): (array.shape, str(array.dtype.newbyteorder("=")))
        for name, array in arrays.items()
        if name not in ("texts", "objects", "records")
    }


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_each_version_of_the_header_is_read(version: tuple[int, int], tmp_path: Path) -> None:
    contents = read_bytes(npy(np.zeros((3, 4), "f4"), version), tmp_path)
    assert contents.format == "NumPy array"
    assert shapes(contents) == {"": ((3, 4), "float32")}


def test_a_large_compressed_array_is_not_unpacked(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a", w=np.zeros((2**25,), "f4"))
    assert shapes(read_file(tmp_path / "a.npz")) == {"w": ((2**25,), "float32")}


WHOLE = npy(np.zeros((3, 4), "f4"))
NO_HEADER = "its header does not give descr, fortran_order and shape"
WRONG = {
    "cut short": (WHOLE[:-1], "it has 175 bytes, too few for the shape (3, 4)"),
    "cut in its header": (WHOLE[:40], NO_HEADER),
    "unknown version": (
        b"\x93NUMPY\x09" + WHOLE[7:],
        "it does not begin as an array of NumPy does",
    ),
    "long header": (
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + WHOLE[12:],
        "its header has 4,294,967,295 bytes, up to 10,000 are read",
    ),
    "code": (headed("{'descr': '<f4', 'fortran_order': False, 'shape': (exit(),)}"), NO_HEADER),
    "a key twice": (
        headed("{'descr': '<f4', 'shape': (1,), 'shape': (1,), 'fortran_order': False}"),
        NO_HEADER,
    ),
    "no tuple": (headed("{'descr': '<f4', 'fortran_order': False, 'shape': (3)}"), NO_HEADER),
    "negative": (headed("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}"), NO_HEADER),
    "2**60 rows": (
        headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**60}, {2**60})}}"),
        f"bytes, too few for the shape ({2**60}, {2**60})",
    ),
    "objects": (
        npy(np.array([{}], dtype=object)),
        "it is an array of Python objects, strings or records",
    ),
}


@pytest.mark.parametrize(("data", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_array_is_refused(data: bytes, problem: str, tmp_path: Path) -> None:
    found = refusal(data, tmp_path)
    assert problem in ", ".join(found)
    inside = refusal(zipped({"lstm/w.npy": data}), tmp_path)
    only = "it holds only arrays of Python objects, strings or records"
    assert inside[0] in (f"lstm/w.npy: {found[0]}", only)


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    data = zipped({"a.b.npy": WHOLE, "a/b.npy": WHOLE})
    assert refusal(data, tmp_path) == ("two of its arrays are called a.b", "rename one of them")


@pytest.mark.filterwarnings("ignore")  # numpy takes Python 2's 3L, and says so
@pytest.mark.parametrize("deflated", [False, True])
def test_mutations_are_read_as_numpy_reads_them_or_refused(deflated: bool, tmp_path: Path) -> None:
    data = zipped({"lstm.w.npy": WHOLE}, deflated=deflated)
    for changed in (*mutations(data, 1500, seed=3), *mutations(WHOLE, 1500, seed=4)):
        found = read_or_refused(changed, tmp_path)
        if changed.startswith(b"\x93") and found is not None and found.dicts:
            theirs = np.lib.format.read_array(io.BytesIO(changed), allow_pickle=False)
            assert shapes(found)[""][0] == theirs.shape
