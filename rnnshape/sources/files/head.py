"""What a format is recognised by: the first bytes of a file, and the names in it."""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from rnnshape.computed import cached_property

_START: Final = 2**16

# Fields of a protobuf message: how many are looked at, and the sizes of those of fixed size.
_MOST_FIELDS: Final = 10_000
_FIXED: Final = {1: 8, 5: 4}
_VARINT, _LENGTH = 0, 2
_LONGEST_VARINT: Final = 10

# Legacy files of torch begin with a number, which protocol 0 writes in digits.
_TORCH: Final = (b"l\xfc\x9cF\xf9 j\xa8P\x19", b"L119547037146038801333356L")
_PICKLE: Final = re.compile(
    rb"\x80[\x00-\x05][(-\x95]|c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\((?:d|l|i[A-Za-z_])|[\]}]q"
)
# Right after the opcode of a name, which may be a letter, so without a boundary before them.
_OTHERS: Final = re.compile(
    rb"(catboost|gensim|joblib|lightgbm|pandas|sklearn|spacy|statsmodels|xgboost)\b"
)


class Head:
    """The beginning of an open file; more of it is read only when it is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = file.seek(0, 2)  # in bytes
        file.seek(0)
        self.start = file.read(_START)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in a zip file, none in other files. Raises RequestError for a damaged zip."""
        if not self.start.startswith((b"PK\3\4", b"PK\5\6")):  # the second: no entries
            return ()
        from rnnshape.sources.files.zipped import directory  # many files are not zips

        return tuple(directory(self.file))

    def holds(self, *paths: str) -> bool:
        """Whether a zip has all these entries, at its top or in one folder: `data.pkl`."""
        names = {*self.names}
        folders = (
            name.removesuffix(paths[0])
            for name in self.names
            if f"/{name}".endswith(f"/{paths[0]}") and name.count("/") <= paths[0].count("/") + 1
        )
        return any(all(f"{folder}{path}" in names for path in paths) for folder in folders)

    @property
    def is_legacy_checkpoint(self) -> bool:
        """Whether it begins as what torch.save wrote before it wrote zips."""
        return any(magic in self.start[:32] for magic in _TORCH)

    @property
    def is_pickle(self) -> bool:
        """Whether it begins as a pickle."""
        return bool(_PICKLE.match(self.start))

    @property
    def pickled_by(self) -> str | None:
        """The package other than torch that a pickle names, if it is one that is known."""
        named = _OTHERS.search(self.start) if b"torch" not in self.start else None
        return named[1].decode() if named and self.is_pickle else None

    @cached_property
    def fields(self) -> dict[int, int]:
        """The wire type of each field of a protobuf message, by number; {} if it is not one.

        Their contents are skipped, so that a message of any size takes little time.
        """
        found: dict[int, int] = {}
        at = 0
        for _ in range(_MOST_FIELDS):
            if at >= self.size:
                break
            self.file.seek(at)
            chunk = self.file.read(2 * _LONGEST_VARINT)
            tag, used = _varint(chunk)
            value, more = _varint(chunk[used:])
            number, wire = tag >> 3, tag & 7
            if not used or not number or (wire in (_VARINT, _LENGTH) and not more):
                return {}
            if found.setdefault(number, wire) != wire:
                return {}
            if wire == _VARINT:
                at += used + more
            elif wire == _LENGTH:
                at += used + more + value
            elif wire in _FIXED:
                at += used + _FIXED[wire]
            else:
                return {}
        return found


def _varint(chunk: bytes) -> tuple[int, int]:
    """A protobuf integer and the bytes it takes; 0 bytes where there is none."""
    value = 0
    for place, byte in enumerate(chunk[:_LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, place + 1
    return 0, 0
