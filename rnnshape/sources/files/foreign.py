"""Files of other kinds: what each is, and what to do about it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from rnnshape.errors import RequestError, quoted
from rnnshape.sources.files.folder import EXPORT, likely
from rnnshape.sources.files.head import Head
from rnnshape.sources.files.refusal import refusal

_READ: Final = "PyTorch, TorchScript, safetensors, npz, ONNX and Keras files are read"
_UNPACK: Final = "unpack it first"
_DOWNLOAD: Final = "download it again: it is not a file of weights"
_CONVERT: Final = "give the checkpoint that it was made from"


class _Kind(NamedTuple):
    start: bytes
    what: str
    hint: str = _READ
    at: int = 0


_KINDS: Final = (
    _Kind(b"version https://git-lfs", "it is a pointer of Git LFS, not the file", "git lfs pull"),
    _Kind(b"GGUF", "it is a GGUF file of llama.cpp", _CONVERT),
    _Kind(b"lmgg", "it is a GGML file", _CONVERT),
    _Kind(b"tjgg", "it is a GGML file", _CONVERT),
    _Kind(b"TFL3", "it is a TFLite model", EXPORT, at=4),
    _Kind(b"ORTM", "it is a model in ONNX Runtime's own format", "give the .onnx file", at=4),
    _Kind(b"ET", "it is an ExecuTorch program", _CONVERT, at=4),
    _Kind(b"ptrt", "it is a TensorRT engine", _CONVERT),
    _Kind(b"ftrt", "it is a TensorRT engine", _CONVERT),
    _Kind(b"7767517\n", "it is a model of ncnn", _CONVERT),
    _Kind(b"\x28\xb5\x2f\xfd", "it is compressed by zstd", "unpack it first: zstd -d"),
    _Kind(b"\xfd7zXZ\0", "it is compressed by xz", "unpack it first: xz -d"),
    _Kind(b"BZh", "it is compressed by bzip2", "unpack it first: bzip2 -d"),
    _Kind(b"\x04\x22\x4d\x18", "it is compressed by lz4", "unpack it first: lz4 -d"),
    _Kind(b"7z\xbc\xaf\x27\x1c", "it is a 7z archive", _UNPACK),
    _Kind(b"Rar!\x1a\x07", "it is a rar archive", _UNPACK),
    _Kind(b"PAR1", "it is a Parquet table"),
    _Kind(b"ARROW1", "it is an Arrow table"),
    _Kind(b"MATLAB 5.0", "it is a MATLAB file", "save its arrays as npz"),
    _Kind(b"SQLite format 3", "it is an SQLite database"),
    _Kind(b"\x89PNG", "it is a PNG image"),
    _Kind(b"\xff\xd8\xff", "it is a JPEG image"),
    _Kind(b"GIF8", "it is a GIF image"),
    _Kind(b"%PDF", "it is a PDF document"),
    _Kind(b"RIFF", "it is a WAV, WebP or AVI file"),
    _Kind(b"fLaC", "it is FLAC audio"),
    _Kind(b"OggS", "it is an Ogg file"),
    _Kind(b"ID3", "it is MP3 audio"),
    _Kind(b"ftyp", "it is an MP4 file", at=4),
    _Kind(b"\x7fELF", "it is a compiled program or library"),
    _Kind(b"MZ", "it is a program for Windows"),
    _Kind(b"\xcf\xfa\xed\xfe", "it is a program for macOS"),
    _Kind(b"<?xml", "it is XML, not weights"),
    _Kind(b"#!", "it is a script, not weights"),
)
_HTML: Final = re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)
_TABLE_END: Final = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # of LevelDB, TensorFlow's index


def refusal_of(head: Head) -> RequestError:
    """An error that says what the file is and what to do."""
    if not head.size:
        return refusal("it is empty", "copy or download it again")
    for kind in _KINDS:
        if head.start[kind.at :].startswith(kind.start):
            return refusal(kind.what, kind.hint)
    for judge in (_zip, _gzip, _tar, _pickle, _checkpoint_index, _protobuf, _text):
        error = judge(head)
        if error is not None:
            return error
    begin = head.start[:8].hex(" ")
    return refusal(f"its format is not known: it begins with the bytes {begin}", _READ)


def _zip(head: Head) -> RequestError | None:
    if not head.start.startswith(b"PK"):
        return None
    if not head.names:
        return refusal("it is a zip without files", _READ)
    if head.holds("serialized_exported_program.json"):
        return refusal(
            "it is a program exported by PyTorch 2.7 or earlier",
            "torch.export.load it, and torch.save its state_dict",
        )
    if any(name.endswith("Data/com.apple.CoreML/model.mlmodel") for name in head.names):
        return refusal("it is a zip that holds a CoreML package", EXPORT)
    return _packed("it is a zip", head.names)


def _packed(what: str, names: tuple[str, ...]) -> RequestError:
    """An error about an archive that names the file in it that is likely meant."""
    if {"pickle", "storages", "tensors"} <= {*names}:
        return refusal(
            "it is a checkpoint of PyTorch 0.1, a tar", "torch.load it, and torch.save it again"
        )
    files = [name for name in names if not name.endswith("/")]
    if chosen := likely(files):
        held = f"{quoted(chosen[0])}{_more(len(chosen) - 1, ' of weights')}"
        return refusal(f"{what} that holds {held}", _UNPACK)
    held = f" that holds {quoted(files[0])}{_more(len(files) - 1, '')}" if files else ""
    return refusal(f"{what}{held}, and no file of weights", _READ)


def _more(count: int, which: str) -> str:
    return f" and {count} more file{'s' * (count > 1)}{which}" if count else ""


def _gzip(head: Head) -> RequestError | None:
    if head.start.startswith(b"\x1f\x8b"):
        names = tuple(_tar_names(_Inflated(head.file)))
        if names:
            return _packed("it is a gzip'd tar", names)
        return refusal("it is compressed by gzip", "unpack it first: gzip -d")
    if head.start[:2] in (b"x\x01", b"x\x9c", b"x\xda"):
        return refusal("it is compressed by zlib, as joblib does", _PICKLED)
    return None


def _tar(head: Head) -> RequestError | None:
    head.file.seek(0)
    names = tuple(_tar_names(head.file))
    return _packed("it is a tar", names) if names else None


# What is looked at of an archive: in a compressed one all before a name must be unpacked.
_MOST_UNPACKED: Final = 64 * 2**20
_MOST_MEMBERS: Final = 1000
_BLOCK: Final = 512
_CHUNK: Final = 2**16
_LONG_NAMES: Final = b"xgLK"  # entries that only describe the next one


def _tar_names(file: BinaryIO | _Inflated) -> Iterator[str]:
    """The names of the members, as far as they are found soon; none if it is not a tar."""
    at = 0
    long_name = ""
    for _ in range(_MOST_MEMBERS):
        file.seek(at)
        block = file.read(_BLOCK)
        if len(block) < _BLOCK or not _is_header(block):
            return
        size = _octal(block[124:136])
        if size is None:
            return
        if block[156] in _LONG_NAMES:
            long_name = _long_name(file.read(_BLOCK))
        else:
            yield long_name or _member(block)
            long_name = ""
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK


def _member(block: bytes) -> str:
    """The path that a header gives: a folder, where that is long, and a name."""
    parts = (block[345:500], block[:100])
    texts = [part.split(b"\0")[0].decode("utf-8", "replace") for part in parts]
    return "/".join(filter(None, texts if block[257:262] == b"ustar" else texts[1:]))


def _long_name(block: bytes) -> str:
    """The name that the contents of such an entry give to the next one, if they do."""
    record = re.match(rb"(?:.*\n)?\d+ path=(.*)\n|([^\0 ]+)\0", block)
    return (record[1] or record[2]).decode("utf-8", "replace") if record else ""


def _is_header(block: bytes) -> bool:
    """Whether the block's checksum is right, which it has in every tar."""
    given = _octal(block[148:156])
    return given is not None and given == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _octal(digits: bytes) -> int | None:
    text = digits.strip(b" \0")
    return int(text, 8) if re.fullmatch(rb"[0-7]+", text) else None


class _Inflated:
    """The content of a gzip file, of which one can only go forward, and not far."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        self._file, self._inflate = file, zlib.decompressobj(wbits=31)
        self._at, self._ahead = 0, b""

    def seek(self, at: int) -> None:
        """Go forward to `at`, or as far as is looked at."""
        while self._at < min(at, _MOST_UNPACKED) and self.read(min(_CHUNK, at - self._at)):
            pass
        if self._at < at:
            self._ahead, self._inflate = b"", zlib.decompressobj(wbits=31)
            self._file.seek(0, 2)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none where the file is damaged."""
        while not self._ahead and not self._inflate.eof:
            data = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            if not data:
                break
            try:
                self._ahead = self._inflate.decompress(data, _CHUNK)
            except zlib.error:
                break
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        self._at += len(taken)
        return taken


_PICKLED: Final = "load it where it was made, and save the weights alone"


def _pickle(head: Head) -> RequestError | None:
    package = head.pickled_by
    if package is None:
        return None
    return refusal(f"it is a pickle of {package}, without weights of PyTorch", _PICKLED)


def _checkpoint_index(head: Head) -> RequestError | None:
    head.file.seek(max(0, head.size - 8))
    if head.file.read(8) != _TABLE_END:
        return None
    return refusal("it is the index of a TensorFlow checkpoint", EXPORT)


def _protobuf(head: Head) -> RequestError | None:
    first, fields = head.start[:1], head.fields
    if first == b"\x08" and any(200 <= number < 4000 for number in fields):
        return refusal("it is a CoreML model", EXPORT)
    if first == b"\x08" and fields == {1: 0, 2: 2}:
        return refusal("it is a SavedModel of TensorFlow", EXPORT)
    if (
        first == b"\x0a"
        and fields
        and fields.keys() <= {1, 2, 3, 4}
        and b"\x12" in head.start[:200]
    ):
        return refusal("it is a graph of TensorFlow", EXPORT)
    return None


def _text(head: Head) -> RequestError | None:
    if _HTML.match(head.start):
        return refusal("it is an HTML page, likely an error page that was saved", _DOWNLOAD)
    try:
        text = head.start[:4096].decode()
    except UnicodeDecodeError as error:
        if error.start < min(len(head.start), 4096) - 4:
            return None
        text = head.start[: error.start].decode()
    if not all(letter.isprintable() or letter in "\t\n\r\f" for letter in text):
        return None
    if text.lstrip().startswith(("{", "[")):
        return refusal("it is JSON, not weights", _READ)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return refusal(f"it is text, not weights: {quoted(line)}", _READ)
