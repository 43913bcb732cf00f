"""What the names in PyTorch's own pickles stand for: tensors, storages and dtypes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from rnnshape.errors import RequestError
from rnnshape.layer.facts import LARGEST_SIZE, Dims
from rnnshape.sources.files.contents import StoredTensor
from rnnshape.sources.files.pickled import (
    AGAIN,
    Arguments,
    Global,
    Known,
    Long,
    Pickles,
    Record,
    interpret,
)

_MOST_AXES: Final = 64  # PyTorch's own limit

_MOST_INNER: Final = 10_000  # storages in a plain pickle

_TENSOR: Final = Global("torch.Tensor")  # of records that cannot be read as one
_STORAGE: Final = Global("torch.storage")

LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
LEGACY_HEAD: Final = 3  # pickles before that of the object: magic number, protocol, machine

_STORAGES: Final = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
    "QUInt8": "quint8",
    "QInt8": "qint8",
    "QInt32": "qint32",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
    "Untyped": "uint8",
}
# Of dtypes with a whole number of bytes, whose tensors must fit into their storages.
_BYTES: Final = {
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 8),
    **dict.fromkeys(("float32", "int32", "uint32", "qint32"), 4),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("int8", "uint8", "bool", "qint8", "quint8"), 1),
    "complex128": 16,
}


class Storage:
    """A row of elements in a file, of which tensors are views."""

    __slots__ = ("dtype", "key", "numel", "offset")

    def __init__(self, *, key: Any, dtype: str, numel: int, offset: int = 0) -> None:
        self.key = key  # the same for the same bytes
        self.dtype = dtype
        self.numel = numel
        self.offset = offset  # in elements, of a view

    @property
    def nbytes(self) -> int | None:
        """The number of bytes; None where elements are not whole bytes."""
        size = _BYTES.get(self.dtype)
        return None if size is None else size * (self.numel + self.offset)


def stored(persistent_id: Any) -> Any:
    """The storage or the class that a persistent id of torch.save stands for."""
    match persistent_id:
        case ("storage", Global() as kind, key, _, numel):
            return _storage(kind, key, numel, None)
        case ("storage", Global() as kind, key, _, numel, view):
            return _storage(kind, key, numel, view)
        case ("module", kind, *_):
            return kind
        case _:
            return Record(Global("pickle.persistent_id"), persistent_id)


def _storage(kind: Global, key: Any, numel: Any, view: Any) -> Storage:
    name = kind.path.rpartition(".")[2].removesuffix("Storage")
    if not isinstance(key, str | int) or not _is_size(numel):
        raise _malformed("a storage", "its key or its size is not valid")
    offset = 0
    if view is not None:  # legacy files keep the storage of a view as a part of another
        match view:
            case (_, offset, numel) if _is_size(offset) and _is_size(numel):
                pass
            case _:
                raise _malformed("a storage", "its place in another storage is not valid")
    return Storage(key=key, dtype=_STORAGES.get(name, name.lower()), numel=numel, offset=offset)


def _tensor(args: Arguments) -> Any:
    """`_rebuild_tensor(storage, offset, size, stride, ...)` and its kin."""
    match args:
        case (Storage() as storage, offset, size, stride, *_):
            return _view(storage, offset, size, stride, storage.dtype)
        case _:
            return Record(_TENSOR, args)


def _tensor_of_dtype(args: Arguments) -> Any:
    """`_rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, ...)`."""
    match args:
        case (Storage() as storage, offset, size, stride, _, _, dtype, *_):
            return _view(storage, offset, size, stride, _dtype(dtype))
        case _:
            return Record(_TENSOR, args)


def _view(storage: Storage, offset: Any, size: Any, stride: Any, dtype: str) -> StoredTensor:
    shape, strides = _dims(size), _dims(stride)
    if len(shape) != len(strides) or not _is_size(offset):
        raise _malformed("a tensor", "its strides do not fit its shape")
    numel = _numel(shape)
    whole, part = storage.nbytes, _BYTES.get(dtype)
    if numel and whole is not None and part is not None:
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if (storage.offset * _BYTES[storage.dtype]) + (last + 1) * part > whole:
            raise RequestError(
                "a tensor in it claims shape {}, more than the {} bytes of its storage hold",
                str(shape),
                f"{whole:,}",
                hint=AGAIN,
            )
    place = (storage.key, storage.offset + offset, numel) if numel else None
    return StoredTensor(shape=shape, dtype=dtype, storage=place)


def _sparse(args: Arguments) -> Any:
    """`_rebuild_sparse_tensor(layout, data)`: indices, values and size; or one more index first."""
    match args:
        case (_, (_, _, StoredTensor() as values, size, *_)):
            return StoredTensor(shape=_dims(size), dtype=values.dtype)
        case (_, (_, StoredTensor() as values, size, *_)):
            return StoredTensor(shape=_dims(size), dtype=values.dtype)
        case _:
            return Record(_TENSOR, args)


def _meta(args: Arguments) -> Any:
    """`_rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad)`."""
    match args:
        case (dtype, size, *_):
            return StoredTensor(shape=_dims(size), dtype=_dtype(dtype))
        case _:
            return Record(_TENSOR, args)


def _wrapper(args: Arguments) -> Any:
    """`_rebuild_wrapper_subclass(cls, dtype, size, ...)`."""
    return _meta(args[1:3])


def _from_numpy(args: Arguments) -> Any:
    """`_rebuild_device_tensor_from_numpy(array, dtype, device, requires_grad)`."""
    match args:
        case (Record(state=(_, size, *_)), dtype, *_):
            return StoredTensor(shape=_dims(size), dtype=_dtype(dtype))
        case _:
            return Record(_TENSOR, args)


def _from_cpu(args: Arguments) -> Any:
    """`_rebuild_device_tensor_from_cpu_tensor(tensor, dtype, device, requires_grad)`."""
    match args:
        case (StoredTensor() as tensor, dtype, *_):
            return StoredTensor(shape=tensor.shape, dtype=_dtype(dtype), storage=tensor.storage)
        case _:
            return Record(_TENSOR, args)


def _first(args: Arguments) -> Any:
    """What wraps its first argument, such as a parameter its tensor."""
    return args[0] if args else Record(_TENSOR)


def _of_type(args: Arguments) -> Any:
    """`_rebuild_from_type_v2(function, type, args, state)`, for subclasses of Tensor."""
    match args:
        case (Global(path=path), _, tuple(inner), *_) if path in _TENSORS:
            return _TENSORS[path](inner)
        case _:
            return Record(_TENSOR, args)


def _dtype(value: Any) -> str:
    return value.path.removeprefix("torch.") if isinstance(value, Global) else "unknown"


def _dims(size: Any) -> Dims:
    if not isinstance(size, tuple | list) or len(size) > _MOST_AXES or not all(map(_is_size, size)):
        raise _malformed("a tensor", "its shape is not valid")
    return tuple(size)


def _numel(shape: Dims) -> int:
    numel = 1
    for length in shape if 0 not in shape else (0,):
        numel *= length
        if numel > LARGEST_SIZE:
            raise _malformed("a tensor", "its shape is not valid")
    return numel


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_SIZE


def _malformed(what: str, why: str) -> RequestError:
    return RequestError(f"{what} in it is malformed: {why}", hint=AGAIN)


_TENSORS: Final[Mapping[str, Callable[[Arguments], Any]]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
    "torch._utils._rebuild_qtensor": _tensor,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_wrapper_subclass": _wrapper,
    "torch._utils._rebuild_device_tensor_from_numpy": _from_numpy,
    "torch._utils._rebuild_xla_tensor": _from_numpy,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _from_cpu,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
}
KNOWN: Final[Known] = {
    **_TENSORS,
    **dict.fromkeys(
        (
            "torch.nn.parameter.Parameter",  # of PyTorch 0.3 and older
            "torch.autograd.variable.Variable",
            "torch._dynamo.eval_frame.OptimizedModule",  # of torch.compile
            "torch.Size",
            "torch.jit._pickle.build_tensorlist",
            "torch.jit._pickle.build_intlist",
            "torch.jit._pickle.build_doublelist",
            "torch.jit._pickle.build_boollist",
            "torch.jit._pickle.restore_type_tag",
        ),
        _first,
    ),
    "torch._tensor._rebuild_from_type": _of_type,
    "torch._tensor._rebuild_from_type_v2": _of_type,
    "torch.tensor._rebuild_from_type": _of_type,
}


def known_in_plain_pickles() -> Known:
    """The names in a pickle that torch.save did not write, where each storage is a file inside."""
    left = _MOST_INNER

    def from_bytes(args: Arguments) -> Any:
        nonlocal left
        left -= 1
        match args:
            case (Long(head=head) | bytes(head), *_) if left >= 0:
                return _inner_storage(head)
            case _:
                return Record(_STORAGE, args)

    return {**KNOWN, "torch.storage._load_from_bytes": from_bytes}


def _inner_storage(head: bytes) -> Any:
    """The storage that torch.save wrote, of which these are the first bytes."""
    source = Pickles(io.BytesIO(head), len(head))
    try:
        *_, storage = [interpret(source, {}, stored) for _ in range(LEGACY_HEAD + 1)]
    except RequestError:  # it holds something else, which does not matter
        return Record(_STORAGE)
    if isinstance(storage, Storage):
        storage.key = object()  # of a file of its own
    return storage
