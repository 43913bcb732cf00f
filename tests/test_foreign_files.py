"""Files of other kinds: one line says what each is, another what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zlib
from pathlib import Path

import pytest

from tests.filing import refusal, safetensors, zipped

READ = "PyTorch, TorchScript, safetensors, npz, ONNX and Keras files are read"
EXPORT = "export the model to ONNX, or save its weights as safetensors or npz"
CHECKPOINT = "give the checkpoint that it was made from"


def tar(names: list[str], size: int = 3, form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = size
            archive.addfile(entry, io.BytesIO(b"\0" * size))
    return file.getvalue()


class SVC:
    """A class of another package."""


SVC.__module__, SVC.__qualname__ = "sklearn.svm._classes", "SVC"


def sklearn_pickle(protocol: int) -> bytes:
    names = b"csklearn.svm._classes\nSVC\n" if protocol == 0 else b"\x80\x02csklearn.svm\nSVC\nq\0."
    return names + b")\x81."


FOREIGN = {
    "empty": (b"", "it is empty", "copy or download it again"),
    "LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "it is a pointer of Git LFS, not the file",
        "git lfs pull",
    ),
    "HTML": (
        b"\n<!DOCTYPE html>\n<html><head><title>404",
        "it is an HTML page, likely an error page that was saved",
        "download it again: it is not a file of weights",
    ),
    "XML": (b'<?xml version="1.0"?><Error>', "it is XML, not weights", READ),
    "JSON": (b'{"hidden_size": 40}', "it is JSON, not weights", READ),
    "YAML": (b"# \xc3\xa4\nhidden: 40\n", "it is text, not weights: # \u00e4", READ),
    "text": (b"Entry not found", "it is text, not weights: Entry not found", READ),
    "tar.gz": (
        gzip.compress(tar(["README.md", "model/weights.pt", "model/vocab.txt"])),
        "it is a gzip'd tar that holds model/weights.pt",
        "unpack it first",
    ),
    "tar.gz of two": (
        gzip.compress(tar(["b.bin", "a.safetensors"])),
        "it is a gzip'd tar that holds a.safetensors and 1 more file of weights",
        "unpack it first",
    ),
    "tar": (tar(["a/b.onnx"]), "it is a tar that holds a/b.onnx", "unpack it first"),
    "tar of the first PyTorch": (
        tar(["sys_info", "pickle", "tensors", "storages"]),
        "it is a checkpoint of PyTorch 0.1, a tar",
        "torch.load it, and torch.save it again",
    ),
    "GNU tar with a long name": (
        tar([f"{'d' * 120}/w.pt"], form=tarfile.GNU_FORMAT),
        f"it is a tar that holds {'d' * 60}...",
        "unpack it first",
    ),
    "tar with a long name": (
        tar([f"{'d' * 120}/w.pt"]),
        f"it is a tar that holds {'d' * 60}...",
        "unpack it first",
    ),
    "tar without weights": (
        tar(["a.txt", "b.txt"]),
        "it is a tar that holds a.txt and 1 more file, and no file of weights",
        READ,
    ),
    "gzip": (gzip.compress(b"anything"), "it is compressed by gzip", "unpack it first: gzip -d"),
    "xz": (lzma.compress(b"anything"), "it is compressed by xz", "unpack it first: xz -d"),
    "bzip2": (bz2.compress(b"anything"), "it is compressed by bzip2", "unpack it first: bzip2 -d"),
    "zlib": (
        zlib.compress(b"anything"),
        "it is compressed by zlib, as joblib does",
        "load it where it was made, and save the weights alone",
    ),
    "zip": (
        zipped({"model/weights.pt": b"", "model/a.txt": b""}),
        "it is a zip that holds model/weights.pt",
        "unpack it first",
    ),
    "zip without files": (zipped({}), "it is a zip without files", READ),
    "zip of a hostile name": (
        zipped({"\x1b[31m{}.pt": b""}),
        r"it is a zip that holds '\x1b[31m{}.pt'",
        "unpack it first",
    ),
    "old .pt2": (
        zipped({"serialized_exported_program.json": b"", "serialized_state_dict.pt": b""}),
        "it is a program exported by PyTorch 2.7 or earlier",
        "torch.export.load it, and torch.save its state_dict",
    ),
    "mlpackage": (
        zipped({"m.mlpackage/Data/com.apple.CoreML/model.mlmodel": b""}),
        "it is a zip that holds a CoreML package",
        EXPORT,
    ),
    # specificationVersion 4, an empty description, a neural network in field 500
    "mlmodel": (b"\x08\x04\x12\x00\xa2\x1f\x01\x00", "it is a CoreML model", EXPORT),
    "SavedModel": (b"\x08\x01\x12\x02\x0a\x00", "it is a SavedModel of TensorFlow", EXPORT),
    "GraphDef": (
        b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder",
        "it is a graph of TensorFlow",
        EXPORT,
    ),
    "TF index": (
        b"\0" * 40 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb",
        "it is the index of a TensorFlow checkpoint",
        EXPORT,
    ),
    "TFLite": (b"\x1c\0\0\0TFL3" + b"\0" * 9, "it is a TFLite model", EXPORT),
    "ExecuTorch": (b"\x1c\0\0\0ET12" + b"\0" * 9, "it is an ExecuTorch program", CHECKPOINT),
    "GGUF": (b"GGUF\x03\0\0\0", "it is a GGUF file of llama.cpp", CHECKPOINT),
    "sklearn": (
        sklearn_pickle(2),
        "it is a pickle of sklearn, without weights of PyTorch",
        "load it where it was made, and save the weights alone",
    ),
    "sklearn, protocol 0": (
        sklearn_pickle(0),
        "it is a pickle of sklearn, without weights of PyTorch",
        "load it where it was made, and save the weights alone",
    ),
    "PNG": (b"\x89PNG\r\n\x1a\n" + b"\0" * 9, "it is a PNG image", READ),
    "MP4": (b"\0\0\0\x20ftypisom", "it is an MP4 file", READ),
    "ELF": (b"\x7fELF\x02\x01\x01", "it is a compiled program or library", READ),
    "unknown": (
        bytes(range(200, 220)),
        "its format is not known: it begins with the bytes c8 c9 ca cb cc cd ce cf",
        READ,
    ),
    "zeros": (
        b"\0" * 1000,
        "its format is not known: it begins with the bytes 00 00 00 00 00 00 00 00",
        READ,
    ),
}


@pytest.mark.parametrize(("data", "problem", "hint"), FOREIGN.values(), ids=FOREIGN)
def test_it_is_told_what_it_is(data: bytes, problem: str, hint: str, tmp_path: Path) -> None:
    assert refusal(data, tmp_path) == (problem, hint)


def test_a_bomb_is_unpacked_only_so_far(tmp_path: Path) -> None:
    """256 MiB of zeros before the second member."""
    packer = zlib.compressobj(wbits=31)
    first = tar(["a.txt"], size=2**20)[: 512 + 2**20]
    header = tarfile.TarInfo("large.txt")
    header.size = 2**28
    parts = [packer.compress(first), packer.compress(header.tobuf())]
    parts += [packer.compress(b"\0" * 2**20) for _ in range(256)]
    data = b"".join([*parts, packer.compress(tar(["w.pt"])), packer.flush()])
    problem = "it is a gzip'd tar that holds a.txt and 1 more file, and no file of weights"
    assert refusal(data, tmp_path)[0] == problem


def test_every_cut_of_an_archive_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(tar(["model/weights.pt"]))
    for size in range(1, len(whole)):
        assert refusal(whole[:size], tmp_path)[0]


def test_a_pickle_that_names_torch_is_for_its_reader() -> None:
    from rnnshape.sources.files.head import Head

    mixed = pickle.dumps(["sklearn.svm", "torch._utils"], protocol=4)
    assert Head(io.BytesIO(mixed)).is_pickle
    assert Head(io.BytesIO(mixed)).pickled_by is None
    assert not Head(io.BytesIO(safetensors({}))).is_pickle
    assert not Head(io.BytesIO(json.dumps({"a": 1}).encode())).is_pickle
