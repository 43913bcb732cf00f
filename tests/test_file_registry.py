"""A file is opened once, told by its content, and only where it is a regular file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from rnnshape.errors import RequestError
from rnnshape.sources.files.registry import read_file
from tests.filing import read_bytes, safetensors, shapes
from tests.program import PYTHON, environment, spawn

WHOLE = safetensors(
    {"lstm.weight_ih_l0": {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32]}}, b"\0" * 32
)


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(RequestError) as caught:
        read_file(path)
    return caught.value.problem, caught.value.hint


def test_what_is_no_file_is_refused_by_its_kind(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        assert refused(tmp_path / "socket")[0] == f"{tmp_path}/socket is a socket, not a file"
    assert refused(tmp_path / "pipe") == (
        f"{tmp_path}/pipe is a pipe, not a file",
        "save what it outputs to a file first",
    )
    assert refused(Path("/dev/null"))[0] == "/dev/null is a device, not a file"
    assert refused(Path("/dev/zero"))[0] == "/dev/zero is a device, not a file"


def test_a_missing_file_and_a_name_that_none_can_have_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "a.pt") == (
        f"there is no file {tmp_path}/a.pt",
        "check the path, which is relative to here",
    )
    assert refused(Path("a\0b"))[0].startswith(r"cannot read a\x00b: ")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refused(tmp_path / "loop")[0].startswith(f"cannot read {tmp_path}/loop: too many levels")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.pt"
    path.write_bytes(WHOLE)
    path.chmod(0)
    assert refused(path)[0] == f"cannot read {path}: permission denied"


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ([], "give the file of weights in it"),
        (["notes.txt"], "give the file of weights in it"),
        (["b.txt", "model.safetensors", "pytorch_model.bin"], "give {}/model.safetensors"),
        (
            ["model-00001-of-00002.safetensors", "model.safetensors.index.json"],
            "give {}/model.safetensors.index.json",
        ),
    ],
    ids=["empty", "no weights", "weights", "sharded"],
)
def test_the_hint_for_a_folder_names_the_file_in_it(
    names: list[str], hint: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert refused(tmp_path) == (f"{tmp_path} is a folder, not a file", hint.format(tmp_path))


def test_a_model_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    problem, hint = refused(tmp_path)
    assert problem == f"{tmp_path} is a SavedModel of TensorFlow, which is not read"
    assert hint == "export the model to ONNX, or save its weights as safetensors or npz"


def test_links_to_files_are_followed(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(WHOLE)
    (tmp_path / "model.pt").symlink_to("blob")
    assert shapes(read_file(tmp_path / "model.pt")) == {"lstm.weight_ih_l0": ((4, 2), "float32")}
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    assert refused(tmp_path / "zero.pt")[0].endswith("zero.pt is a device, not a file")


def test_the_name_of_a_file_is_before_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m{hidden_size}.pt").touch()
    problem, _ = refused(tmp_path / "a\x1b[31m{hidden_size}.pt")
    assert problem.endswith(r"a\x1b[31m{hidden_size}.pt: it is empty")


def test_only_the_module_of_the_format_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(WHOLE)
    script = f"""
import sys
from pathlib import Path
from rnnshape.sources.files.registry import FORMATS, read_file
read_file(Path({str(tmp_path / "a.pt")!r}))
print([name for name, _ in FORMATS if "rnnshape.sources.files." + name in sys.modules])
print({{"torch", "numpy", "h5py", "safetensors", "zipfile", "rich"}} & sys.modules.keys())
"""
    assert spawn("-c", script, program=PYTHON, env=environment()).out == "['safetensors']\nset()\n"


def test_little_of_a_large_file_is_read(tmp_path: Path) -> None:
    size = 1_400_000_000
    header = {"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    with (tmp_path / "large").open("wb") as file:
        file.write(safetensors(header))
        file.truncate(file.tell() + size)
    script = f"""
import os
from pathlib import Path
from rnnshape.sources.files.registry import read_file
before = int(dict(l.split(": ") for l in open("/proc/self/io"))["rchar"])
read_file(Path({str(tmp_path / "large")!r}))
after = int(dict(l.split(": ") for l in open("/proc/self/io"))["rchar"])
print(after - before)
"""
    if not Path("/proc/self/io").exists():
        pytest.skip("needs /proc")
    assert int(spawn("-c", script, program=PYTHON, env=environment()).out) < 2**20


def test_the_suffix_says_nothing(tmp_path: Path) -> None:
    assert read_bytes(WHOLE, tmp_path).format == "safetensors"
