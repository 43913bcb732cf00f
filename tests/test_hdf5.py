"""HDF5: what h5py writes is read; damaged files end soon, where the library would loop."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path
from typing import Any

import pytest

from rnnshape.errors import RequestError
from rnnshape.sources.files.hdf5 import Stored, read_hdf5
from tests.filing import mutations

h5py: Any = pytest.importorskip("h5py")

DTYPES = ["f2", "f4", "f8", ">f4", "i1", "i4", "u2", "u8", "?"]


def read(data: bytes) -> Stored:
    return read_hdf5(io.BytesIO(data), 0, len(data))


def written(seed: int, libver: str = "earliest", userblock: int = 0) -> tuple[bytes, Any]:
    """A file with random groups and tensors, and what h5py reads in it."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    file = io.BytesIO()
    with h5py.File(file, "w", libver=libver, userblock_size=userblock) as root:
        groups = [root]
        for number in range(chance.randrange(60)):
            group = chance.choice(groups)
            if libver != "earliest" and len(group) == 8:  # more are in the newer form
                continue
            stems = ["lstm", "a b", "kernel:0", "x" * 90]
            if libver != "earliest":  # where such a name makes the group one of the newer form
                stems.append("\u00e4")
            name = chance.choice(stems) + str(number)
            if chance.random() < 0.4:
                groups.append(group.create_group(name))
                groups[-1].attrs["name"] = "n" * chance.randrange(300)
                continue
            shape = tuple(chance.randrange(4) for _ in range(chance.randrange(4)))
            group.create_dataset(name, shape, chance.choice(DTYPES))
        if chance.random() < 0.7:
            text = "\u00e4" * chance.randrange(1, 200_000 if libver == "earliest" else 20_000)
            root.attrs["model_config"] = text.encode() if chance.random() < 0.5 else text
        expected: dict[str, Any] = {}
        root.visititems(
            lambda name, item: expected.update(
                {name: (item.shape, str(item.dtype.newbyteorder("=")))}
                if isinstance(item, h5py.Dataset)
                else {}
            )
        )
        config = root.attrs.get("model_config")
    return file.getvalue(), (expected, config.encode() if isinstance(config, str) else config)


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
@pytest.mark.parametrize("seed", range(15))
def test_what_h5py_writes_is_read(seed: int, libver: str) -> None:
    data, (expected, config) = written(seed, libver, userblock=512 if seed % 5 == 0 else 0)
    found = read(data)
    assert {name: (t.shape, t.dtype) for name, t in found.tensors.items()} == expected
    assert found.config == config


def test_texts_are_no_tensors_of_numbers() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root["text"] = "abc"
        root["empty"] = h5py.Empty("f4")
    assert {n: t.dtype for n, t in read(file.getvalue()).tensors.items()} == {"text": "other"}


def test_a_large_group_in_the_newer_form_is_refused() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as root:
        for number in range(20):
            root.create_group(str(number))
    with pytest.raises(RequestError) as caught:
        read(file.getvalue())
    assert caught.value.problem == "it is HDF5 with groups in the newer form, which is not read"
    assert caught.value.hint.startswith("copy it with h5repack --low=0 --high=0")


def test_cycles_end_and_other_files_are_not_opened(tmp_path: Path) -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root["here"] = root["/"]
        root.create_group("a")["up"] = root["/"]
        root["other"] = h5py.ExternalLink("/etc/passwd", "/x")
        root["soft"] = h5py.SoftLink("/nowhere")
    assert read(file.getvalue()).tensors == {}


def test_work_that_a_small_file_asks_for_again_and_again_ends() -> None:
    """All groups share one list of names, of 4 MiB."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for number in range(1000):
            root.create_group(str(number)).create_group("x")
    data = bytearray(file.getvalue())
    first = data.find(b"HEAP")
    names = 8 + 8 + 8
    at = len(data)
    data += b"\0" * 2**22
    while (heap := data.find(b"HEAP", first, at)) >= 0:
        data[heap + 8 : heap + 16] = (2**22).to_bytes(8, "little")
        data[heap + names : heap + names + 8] = at.to_bytes(8, "little")
        first = heap + 4
    started = time.process_time()
    with pytest.raises(RequestError, match="its HDF5 structure is damaged"):
        read(bytes(data))
    assert time.process_time() - started < 5


def test_every_cut_is_refused() -> None:
    data, _ = written(3)
    for size in range(0, len(data), 7):
        with pytest.raises(RequestError):
            read(data[:size])


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_mutations_are_read_or_refused(libver: str) -> None:
    data, _ = written(1, libver)
    for changed in mutations(data, 1500, seed=8):
        try:
            read(changed)
        except RequestError as error:  # noqa: PERF203 - each may be refused
            assert error.problem.isprintable()  # noqa: PT017
