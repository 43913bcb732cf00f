"""Damage files at random, and read them: `python -m tests.mutations --count 100000 --seed 1`."""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import BinaryIO

from rnnshape import RequestError
from rnnshape.sources.files.contents import Contents

_HARSH = (b"\xff" * 8, b"\0" * 8, b"\x7f" * 8, b"(R.)}]tbQ", b"}" * 8, b"2\x86" * 4)

Reads = Callable[[BinaryIO], Contents]


def mutations(originals: Sequence[bytes], random: Random) -> Iterator[bytes]:
    """Damaged files without end; of zip archives mostly a single entry, so that they still open."""
    while True:
        original = random.choice(originals)
        if original[:2] == b"PK" and random.random() < 0.8:
            yield _entry_damaged(original, random)
        else:
            yield damaged(original, random)


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes with some of them flipped, replaced, left out, inserted or repeated."""
    mutable = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        at = random.randrange(len(mutable) or 1)
        match random.randrange(7):
            case 0:
                mutable[at : at + 1] = bytes([random.randrange(256)])
            case 1 if mutable:
                mutable[at] ^= 1 << random.randrange(8)
            case 2:
                del mutable[at : at + random.randrange(1, 30)]
            case 3:
                mutable[at:at] = random.randbytes(random.randrange(1, 9))
            case 4:
                mutable[at : at + 8] = random.choice(_HARSH)
            case 5:
                other = random.randrange(len(mutable) or 1)
                mutable[at:at] = mutable[other : other + random.randrange(1, 40)]
            case _:
                if random.random() < 0.1:
                    del mutable[at:]
    return bytes(mutable)


def _entry_damaged(archive: bytes, random: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        entries = {name: opened.read(name) for name in opened.namelist()}
    texts = [name for name in entries if name.endswith((".pkl", ".py"))]
    chosen = random.choice(texts or list(entries))
    entries[chosen] = damaged(entries[chosen], random)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, data in entries.items():
            written.writestr(zipfile.ZipInfo(name), data)  # not with the date of the writing
    return file.getvalue()


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - tests repeat themselves


def outcome(read: Reads, data: bytes) -> str:
    """Whether a file is read or refused."""
    try:
        contents = read(io.BytesIO(data))
    except RequestError as refused:
        error = refused
    else:
        check(contents)
        return "read"
    assert len(error.problem) < 300, error.problem
    assert error.problem.isprintable(), error.problem
    assert error.hint, error.problem
    return "refused"


def survey(read: Reads, originals: Sequence[bytes], *, count: int, seed: int) -> Counter[str]:
    """How many mutations were read and refused; any other error, and a bad message, is raised."""
    outcomes: Counter[str] = Counter()
    for number, data in zip(range(count), mutations(originals, seeded(seed)), strict=False):
        try:
            outcomes[outcome(read, data)] += 1
        except Exception:  # noqa: PERF203 - each of them may fail
            print(f"mutation {number} of seed {seed}", file=sys.stderr)  # noqa: T201
            raise
    return outcomes


def check(contents: Contents) -> None:
    """Whatever a file says, names are texts and shapes are lengths."""
    for each in contents.dicts:
        assert all(type(key) in (str, int, bool) for key in each.keys)
        for name, tensor in each.tensors.items():
            assert type(name) is str
            assert all(type(length) is int and length >= 0 for length in tensor.shape)
            assert type(tensor.dtype) is str
            hash(tensor.storage)
        for name, attributes in each.attributes.items():
            assert type(name) is str
            assert all(type(value) in (str, bool, int, float) for value in attributes.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from rnnshape.sources.files import pytorch
    from tests.checkpoints import originals

    outcomes = survey(pytorch.read, originals(), count=options.count, seed=options.seed)
    print(dict(outcomes))  # noqa: T201


if __name__ == "__main__":
    main()
