"""A model made by the user's own code, which is imported and called for it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from rnnshape.errors import RequestError, first_line, near, quoted, written
from rnnshape.pytorch.request import ImportPath
from rnnshape.silence import silenced

_STANDARD: Final = Path(traceback.__file__).parent
_NOT_OF_USER: Final = (Path(__file__).parents[1], Path(torch.__file__).parent, _STANDARD)


@contextmanager
def model_at(path: ImportPath, *, meta: bool) -> Iterator[nn.Module]:
    """The model that an import path names, in the mode that its code leaves it in.

    A class or a function is called with the arguments of the path; on the meta device if `meta`,
    where that works. What the code prints goes to stderr. As long as the context lasts the code can
    import what is beside it, as a script can. Raises RequestError, with the line of the user's
    code, where the code fails or gives something else than a model.
    """
    with _importing(path):
        found = _attribute(_module(path), path)
        if isinstance(found, nn.Module):
            if path.called:
                raise RequestError(
                    f"{path} is already a model, and calling it would run it",
                    hint=f"leave its arguments out: {path}",
                )
            yield found
            return
        if not callable(found):
            raise RequestError(
                f"{path} is a {type(found).__name__}, not a model",
                hint="name a class, a function or an nn.Module",
            )
        _require_arguments(found, path)
        made = _made(found, path, meta=meta)
        if not isinstance(made, nn.Module):
            raise RequestError(
                f"{path} gives a {type(made).__name__}, not an nn.Module",
                hint="name a function that returns the model",
            )
        yield made


@contextmanager
def _importing(path: ImportPath) -> Iterator[None]:
    """Let the code import what is beside it; afterwards none of that is imported any more.

    Otherwise the next model would be given the `layers.py` that is beside this one.
    """
    folder = _root(Path(path.place).resolve()) if path.is_file else Path.cwd()
    searched, loaded = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = searched
        for name in set(sys.modules) - loaded:
            if _is_in(getattr(sys.modules[name], "__file__", None), folder):
                del sys.modules[name]


def _is_in(file: str | None, folder: Path) -> bool:
    if not file:
        return False
    inside = Path(file).resolve()
    return inside.is_relative_to(folder) and "site-packages" not in inside.parts


def _root(file: Path) -> Path:
    """The folder from which a file is imported: the one that holds its outermost package."""
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def _module(path: ImportPath) -> ModuleType:
    if not path.is_file:
        with _of_user(path):
            return _imported(path.place)
    file = Path(path.place).resolve()
    if not file.is_file():
        raise RequestError("there is no file {}", quoted(path.place), hint=_beside(file, path))
    dotted = ".".join(file.relative_to(_root(file)).with_suffix("").parts)
    if "." in dotted:  # in a package, whose modules it may import as relative ones
        with _of_user(path):
            return importlib.import_module(dotted.removesuffix(".__init__"))
    taken = dotted in sys.modules or dotted in sys.stdlib_module_names
    spec = importlib.util.spec_from_file_location(f"_{dotted}" if taken else dotted, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its own classes look it up
    with _of_user(path):
        spec.loader.exec_module(module)
    return module


def _imported(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name and f"{place}.".startswith(f"{error.name}."):
            raise RequestError(
                f"there is no module {error.name} in this folder, and none is installed",
                hint="PYTHONPATH=FOLDER names its folder, or give the file: path/to/net.py:Tagger",
            ) from error
        raise


def _beside(file: Path, path: ImportPath) -> str:
    try:
        name = near(file.name, [each.name for each in file.parent.glob("*.py")])
    except OSError:
        name = None
    if name is None:
        return "its path is relative to this folder"
    return f"there is {Path(path.place).with_name(name)}"


def _attribute(module: ModuleType, path: ImportPath) -> Any:
    with _of_user(path):
        try:
            return reduce(getattr, path.attribute.split("."), module)
        except AttributeError:
            names = [name for name, value in vars(module).items() if _makes_model(value, module)]
            known = near(path.attribute, names) or ", ".join(names[:6])
            raise RequestError(
                f"{path.place} has no {path.attribute}",
                hint=f"{path.place}:NAME, with one of: {known}"
                if known
                else "name a class or a function of it",
            ) from None


def _makes_model(value: object, module: ModuleType) -> bool:
    own = getattr(value, "__module__", None) == module.__name__
    if isinstance(value, type):
        return own and issubclass(value, nn.Module)
    return isinstance(value, nn.Module) or (own and inspect.isfunction(value))


def _require_arguments(function: Callable[..., Any], path: ImportPath) -> None:
    """Raise RequestError unless the function takes the arguments of the path."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # it does not say; calling it will
    try:
        signature.bind(*path.arguments, **dict(path.keywords))
    except TypeError as error:
        raise RequestError(
            f"{path.call} cannot be called: {{}}",
            first_line(error),
            hint=_arguments_hint(signature, path),
        ) from error


def _arguments_hint(signature: inspect.Signature, path: ImportPath) -> str:
    given = [*map(repr, path.arguments), *(f"{name}={value!r}" for name, value in path.keywords)]
    try:
        bound = signature.bind_partial(*path.arguments, **dict(path.keywords)).arguments
    except TypeError:
        names = ", ".join(map(str, signature.parameters.values()))
        return f"it takes ({names})"
    lacking = [
        f"{each.name}=..."
        for each in signature.parameters.values()
        if each.name not in bound
        and each.default is each.empty
        and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return f'"{path}({", ".join([*given, *lacking])})", with a number or a string for each ...'


class _WithoutDrawing(TorchFunctionMode):
    """Leaves meta tensors as they are where they would be filled with normal random numbers.

    PyTorch imports its compiler to do nothing there, which takes most of a second. That the call is
    right is seen on a tensor without elements.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """What the function returns, or the tensor that it would fill."""
        given = {} if kwargs is None else kwargs
        filled = next((each for each in (*args, *given.values()) if _is_meta(each)), None)
        draws = getattr(func, "__name__", "") == "normal_"
        if filled is None or not draws or not filled.is_floating_point():
            return func(*args, **given)
        empty = torch.empty(0, dtype=filled.dtype, device="cpu", requires_grad=filled.requires_grad)
        others = {name: empty if value is filled else value for name, value in given.items()}
        func(*(empty if each is filled else each for each in args), **others)
        return filled


def _is_meta(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.is_meta


def _made(function: Callable[..., Any], path: ImportPath, *, meta: bool) -> Any:
    def call() -> Any:
        return function(*path.arguments, **dict(path.keywords))

    if meta:
        # Code that reads values, or that moves tensors itself, cannot be built there.
        try:
            with _as_a_script(path), silenced, torch.device("meta"), _WithoutDrawing():
                return call()
        except (Exception, SystemExit):  # noqa: BLE001, S110 - what is wrong shows when it is built for real
            pass
    with _of_user(path):
        return call()


@contextmanager
def _of_user(path: ImportPath) -> Iterator[None]:
    """Run code of the user; what it raises becomes a RequestError, with the line that raised it."""
    try:
        with _as_a_script(path):
            yield
    except (RequestError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise RequestError(
            f"{{}}: {place_of(error)}{described(error)}",
            str(path),
            said(error),
            hint="the model's own code fails: run it by itself to see the whole error",
        ) from error


@contextmanager
def _as_a_script(path: ImportPath) -> Iterator[None]:
    """What the code prints goes to stderr, and it sees no arguments of this command line."""
    arguments = sys.argv
    try:
        with redirect_stdout(sys.stderr):
            sys.argv = [path.place]
            yield
    finally:
        sys.argv = arguments


def described(error: BaseException) -> str:
    """The type of the error, and room for what it says."""
    return f"{type(error).__name__}: {{}}"


def said(error: BaseException) -> str:
    """What an error of the user's code says, on one line."""
    if isinstance(error, SystemExit):
        return f"its code exits with {written(error.code)}"
    return first_line(error)


def place_of(error: BaseException) -> str:
    """Where the user's code failed: `net.py:12: `; "" where no line of it is known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename)}:{error.lineno}: "
    frames = [
        frame
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if Path(frame.filename).is_file() and not _is_in_any(frame.filename, _NOT_OF_USER)
    ]
    own = (frame for frame in frames if "site-packages" not in Path(frame.filename).parts)
    frame = next(own, frames[0] if frames else None)
    return f"{_shown(frame.filename)}:{frame.lineno}: " if frame else ""


def _is_in_any(filename: str, folders: Iterable[Path]) -> bool:
    file = Path(filename)
    is_installed = "site-packages" in file.parts
    return any(
        file.is_relative_to(folder) and not (folder == _STANDARD and is_installed)
        for folder in folders
    )


def _shown(filename: str) -> str:
    """The file, relative to this folder if it is in it."""
    file = Path(filename)
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else filename
