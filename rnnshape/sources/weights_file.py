"""A file of weights as a target: `weights.pt`, or one of its layers, `weights.pt:encoder.lstm`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from rnnshape.errors import RequestError, RequestErrors, counted, quoted, word
from rnnshape.layer.found import STATE_DICT, Found, Loading
from rnnshape.layer.recognition import Recognised, Unrecognised
from rnnshape.layer.settings import DType
from rnnshape.layer.state_dict import recognise, shapes_of
from rnnshape.layer.subject import Origin, Subject
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.registry import read_file
from rnnshape.sources.import_path import names_code
from rnnshape.sources.source import Holder, Source, nothing_at, target_in
from rnnshape.sources.target import Target
from rnnshape.words import python_literal

# What is a file even where there is none of that name.
_SUFFIXES: Final = re.compile(
    r".+\.(pt|pth|pt2|bin|ckpt|pkl|tar|safetensors|index\.json|npz|npy|onnx|keras|h5|hdf5|toml)(:.*)?",
    re.DOTALL | re.IGNORECASE,
)
# A layer with the state dict that holds it, if one does; or why it is not a layer.
_Layer: TypeAlias = "Unrecognised | tuple[Recognised, StateDict | None]"


def looks_like_file(text: str) -> bool:
    """Whether a target is a file, or has the name of a file of weights; Python code has none."""
    if names_code(text):
        return False
    return _SUFFIXES.fullmatch(text) is not None or _exists(_split(text)[0])


def read_weights(text: str) -> Source:
    """The layers of a file, or those at its prefix. Raises RequestError where there is none."""
    name, prefix = _split(text)
    if name.lower().endswith(".toml"):
        hint = f"rnnshape check {word(Path(name))}"
        raise RequestError(
            "{} is a manifest, which holds no weights", quoted(name), hint, hint="{}"
        )
    if not _exists(name):
        raise _missing(name)
    contents = read_file(Path(name))
    found = dict(_layers(contents))
    return _source(
        name, contents, found if prefix is None or not found else _chosen(found, name, prefix)
    )


def _source(name: str, contents: Contents, chosen: Mapping[str, _Layer]) -> Source:
    if not chosen:
        raise _without_layers(name, contents)
    targets = tuple(
        _target(each, layer, name, contents)
        for each, layer in chosen.items()
        if isinstance(layer, tuple)
    )
    unread = {
        each: RequestError(
            layer.problem, hint="write the file again from the whole layer's state_dict()"
        )
        for each, layer in chosen.items()
        if isinstance(layer, Unrecognised)
    }
    if not targets:
        raise RequestErrors(
            error.behind(quoted(f"{name}:{each}" if each else name))
            for each, error in unread.items()
        )
    holder = Holder(name=name, format=contents.format, tensors=contents.tensors)
    return Source(targets=targets, unread=unread, holder=holder)


def source_of(mapping: Mapping[str, Any]) -> Source:
    """The layers of a state dict in memory. Raises RequestError where there is none."""
    tensors = {
        name: StoredTensor(shape=shape, dtype=_dtype_name(mapping.get(name)))
        for name, shape in shapes_of(mapping).items()
    }
    contents = Contents(
        format=STATE_DICT, dicts=(StateDict(tensors=tensors),), tensors=len(tensors)
    )
    source = _source("it", contents, dict(_layers(contents)))
    targets = (
        replace(each, origin=Origin(request=f"rnnshape.from_state_dict(state_dict)[{each.name!r}]"))
        for each in source.targets
    )
    return replace(source, targets=tuple(targets))


def _dtype_name(tensor: Any) -> str:
    """PyTorch's name for the dtype of a tensor or an array: `float32`."""
    return str(getattr(tensor, "dtype", "")).rpartition(".")[2]


def _exists(name: str) -> bool:
    try:
        return name != "" and Path(name).exists()
    except (OSError, ValueError):  # too long, or with a null character
        return False


def _missing(name: str) -> RequestError:
    """The error for a file that is not there, with files of the same folder that are alike."""
    from difflib import get_close_matches  # only errors need it

    folder = Path(name).parent
    try:
        beside = [each.name for each in folder.iterdir() if _SUFFIXES.fullmatch(each.name)]
    except OSError:
        beside = []
    alike = [word(folder / each) for each in get_close_matches(Path(name).name, beside)]
    hint = f"there is {', '.join(alike)}" if alike else "its path is relative to this folder"
    return RequestError("there is no file {}", quoted(name), hint, hint="{}")


def _split(text: str) -> tuple[str, str | None]:
    """The file, and the prefix if there is one: the file is the longest part that exists."""
    if _exists(text):
        return text, None
    end = len(text)
    while (end := text.rfind(":", 0, end)) > 0:
        if _exists(text[:end]):
            return text[:end], text[end + 1 :]
    match = _SUFFIXES.fullmatch(text)
    name, colon, prefix = text.rpartition(":")
    return (name, prefix) if match and colon and match[2] else (text, None)


def _layers(contents: Contents) -> Iterator[tuple[str, _Layer]]:
    """Every layer by its name in the file, and what looks like one and is not."""
    for layer in contents.layers:
        yield layer.name, (layer, None)
    for failure in contents.failures:
        yield failure.name, failure
    recognised = [
        (each, recognise({n: t.shape for n, t in each.tensors.items()}, each.attributes))
        for each in contents.dicts
    ]
    holding = [(each, r) for each, r in recognised if r.layers or r.failures]
    for each, recognition in holding:
        # Where several state dicts hold layers, names alone could not tell them apart.
        keys = each.keys if len(holding) > 1 else ()
        for layer in recognition.layers:
            yield ".".join(map(str, (*keys, *filter(None, [layer.name])))), (layer, each)
        for failure in recognition.failures:
            yield ".".join(map(str, (*keys, *filter(None, [failure.name])))), failure


def _chosen(found: Mapping[str, _Layer], name: str, prefix: str) -> dict[str, _Layer]:
    """The layer at the prefix, or those below it. Raises RequestError where there is none."""
    bare = prefix.removesuffix(".")
    if bare in found:
        return {bare: found[bare]}
    below = {each: layer for each, layer in found.items() if each.startswith(f"{bare}.")}
    if not below:
        raise nothing_at(prefix, name, found)
    return below


def _target(
    name: str, layer: tuple[Recognised, StateDict | None], file: str, contents: Contents
) -> Target:
    recognised, held_in = layer
    tensors = held_in.tensors if held_in else {}
    return replace(
        target_in(file, name, recognised.config, recognised.unknown),
        dtype=_dtype([tensors[n] for n in recognised.shapes if n in tensors]),
        found=Found(
            holder=file,
            format=contents.format,
            recognised=recognised,
            keys=held_in.keys if held_in else (),
            loading=_loading(recognised, held_in, file, contents.format) if held_in else None,
        ),
    )


# How a state dict is read from a file, by the format of the file; {} is the name of the file.
_STATES: Final = {
    "PyTorch checkpoint": 'torch.load({}, map_location="cpu")',
    "TorchScript archive": 'torch.jit.load({}, map_location="cpu").state_dict()',
    "safetensors": "safetensors.torch.load_file({})",
    "NumPy archive": "{{name: torch.from_numpy(array) for name, array in numpy.load({}).items()}}",
}
_IMPORTS: Final = {
    "safetensors": ("import safetensors.torch",),
    "NumPy archive": ("import numpy",),
}


def _loading(recognised: Recognised, state: StateDict, file: str, format_: str) -> Loading | None:
    """How to load the weights; None where they need more than their names and shapes.

    A pickled module is loaded by running the code that it asks for, which the program leaves to
    its reader.
    """
    if format_ not in _STATES:
        return None
    plain = Subject(config=recognised.config).weights
    if {f"{recognised.prefix}{each.name}" for each in plain} != recognised.shapes.keys():
        return None
    if format_ == "PyTorch checkpoint" and state.attributes:
        return None
    keys = "".join(f"[{python_literal(key)}]" for key in state.keys)
    expression = _STATES[format_].format(python_literal(file)) + keys
    return Loading(imports=_IMPORTS.get(format_, ()), state=expression)


def _dtype(tensors: list[StoredTensor]) -> DType | None:
    """The dtype of most of the tensors, if a layer can have it."""
    names = {each.value for each in DType}
    counted = Counter(each.dtype for each in tensors if each.dtype in names)
    return DType(counted.most_common(1)[0][0]) if counted else None


def _without_layers(name: str, contents: Contents) -> RequestError:
    tensors = counted(contents.tensors, "tensor")
    return RequestError(
        f"{{}} is a {contents.format} with {tensors}, and no recurrent layer is among them",
        quoted(name),
        hint="give a file whose weights have names such as lstm.weight_ih_l0",
    )
