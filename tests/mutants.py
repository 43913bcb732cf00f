"""Change the program in one place and see a test fail: `python -m tests.mutants dims formulas`.

`tests/mutants.toml` says which tests concern a module, and which changes make no difference and
why. Every other change that no test notices is printed. `--sample N` tries some of them.
"""

from __future__ import annotations

import argparse
import ast
import gc
import os
import pickle
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT: Final = Path(__file__).parent.parent
_LIST: Final = Path(__file__).with_name("mutants.toml")
_BROKEN: Final = 3  # how a fork ends in which this tool fails, not a test
_MEMORY: Final = 8 << 30  # bytes of address space

_OTHERS: Final[Mapping[type, tuple[type, ...]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,),
    ast.Div: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of a module."""

    change: str  # "a < b -> a <= b"
    line: int
    lines: frozenset[int]  # a test that runs none of them cannot notice the change
    function: tuple[str, int] | None  # the outermost function around it, and its first line
    apply: Callable[[], None]  # change the tree


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A module, the tests that concern it, and what of it is known to make no difference."""

    name: str
    module: str
    tests: Sequence[str]
    functions_only: bool = False  # whether its tables are left alone
    equivalent: Sequence[Mapping[str, str]] = ()

    @property
    def known(self) -> set[tuple[str, str]]:
        """The lines and the changes of the mutants that make no difference."""
        return {(each["line"], each["change"]) for each in self.equivalent}

    @property
    def file(self) -> Path:
        """The file of the module."""
        path = ROOT / self.module.replace(".", "/")
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    @cached_property
    def text(self) -> str:
        """What the file holds, read once, so that an edit meanwhile confuses nothing."""
        return self.file.read_text(encoding="utf-8")


@dataclass
class Score:
    """What became of the mutants."""

    killed: int = 0
    equivalent: list[tuple[str, str]] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)


def mutants(tree: ast.Module) -> list[Mutant]:
    """Every change of a module."""
    return list(_of_body(tree, tree.body, None, frozenset()))


def _of_body(
    holder: ast.AST,
    body: list[ast.stmt],
    function: tuple[str, int] | None,
    around: frozenset[int],
) -> Iterator[Mutant]:
    for place, statement in enumerate(body):
        inside, lines = function, around | {statement.lineno}
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
            inside = function or (statement.name, first)
            yield from _of_body(statement, statement.body, inside, frozenset())
            continue
        if _is_docstring(statement) or _is_for_types(statement) or _is_limit(statement):
            continue
        yield from _removed(body, place, statement, inside, lines)
        yield from _of_node(statement, inside, lines)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def _is_limit(statement: ast.stmt) -> bool:
    """Whether it sets a limit such as `_MOST_LINES`, which might as well be one more or less."""
    return isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target).startswith(
        "_MOST"
    )


def _removed(
    body: list[ast.stmt],
    place: int,
    statement: ast.stmt,
    function: tuple[str, int] | None,
    lines: frozenset[int],
) -> Iterator[Mutant]:
    """The statement left out, and a return without its value."""
    into_object = isinstance(statement, ast.Assign) and not isinstance(
        statement.targets[0], (ast.Name, ast.Tuple)
    )
    kinds = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
    new: ast.stmt | None = None
    if isinstance(statement, kinds) or into_object:
        new = ast.Pass()
    elif isinstance(statement, ast.Return) and not _is_none(statement.value):
        new = ast.Return(ast.Constant(None))
    if new is not None:

        def left_out(new: ast.stmt = new) -> None:
            body[place] = new

        yield _mutant(statement, new, function, lines, apply=left_out)


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _of_node(
    node: ast.AST, function: tuple[str, int] | None, lines: frozenset[int]
) -> Iterator[Mutant]:
    """The changes in a node, without those of the functions in it."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        if isinstance(node, ast.Assert) or (isinstance(node, ast.keyword) and node.arg == "strict"):
            continue  # they hold, and only say so
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield from _of_body(node, value, function, lines & {getattr(node, "lineno", 0)})
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for place, child in children:
            if not isinstance(child, ast.AST):
                continue
            own = _lines(child, lines)
            inside = function
            if isinstance(child, ast.Lambda):
                inside = function or ("<lambda>", child.lineno)
            for new in _replacements(child, condition=name in ("test", "ifs")):
                yield _mutant(
                    child, new, inside, own, apply=_setter(node, name, place, new), context=node
                )
            yield from _of_node(child, inside, own)


def _lines(node: ast.AST, lines: frozenset[int]) -> frozenset[int]:
    first = getattr(node, "lineno", None)
    if first is None:
        return lines
    body = getattr(node, "body", None)
    last = first if isinstance(body, list) else getattr(node, "end_lineno", first)
    return lines | frozenset(range(first, last + 1))


def _setter(node: ast.AST, name: str, place: int | None, new: ast.AST) -> Callable[[], None]:
    if place is None:
        return lambda: setattr(node, name, new)
    return lambda: getattr(node, name).__setitem__(place, new)


def _mutant(  # noqa: PLR0913 - the parts of a mutant
    old: ast.AST,
    new: ast.AST,
    function: tuple[str, int] | None,
    lines: frozenset[int],
    *,
    apply: Callable[[], None],
    context: ast.AST | None = None,
) -> Mutant:
    for each in ast.walk(new):
        if not hasattr(each, "lineno"):
            ast.copy_location(each, old)
    line = int(getattr(old, "lineno", 0) or getattr(context, "lineno", 0))
    shown = f"{_shown(old)} -> {_shown(new)}"
    return Mutant(change=shown, line=line, lines=lines, function=function, apply=apply)


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def _replacements(  # noqa: C901, PLR0912 - a case for every kind of change
    node: ast.AST, *, condition: bool
) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, operators, others):
            for place, operator in enumerate(operators):
                for other in _OTHERS[type(operator)]:
                    changed = [*operators[:place], other(), *operators[place + 1 :]]
                    yield ast.Compare(left, changed, others)
        case ast.BinOp(left, operator, right) if type(operator) in _OTHERS:
            if not isinstance(left, (ast.JoinedStr, ast.Constant)) or _is_number(left):
                for other in _OTHERS[type(operator)]:
                    yield ast.BinOp(left, other(), right)
        case ast.BoolOp(operator, operands):
            yield ast.BoolOp(_OTHERS[type(operator)][0](), operands)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Slice(lower, upper, step):
            if lower is not None:
                yield ast.Slice(None, upper, step)
            if upper is not None:
                yield ast.Slice(lower, None, step)
        case _:
            pass
    elsewise = (ast.Compare, ast.BoolOp, ast.UnaryOp)  # what is changed in another way
    if condition and isinstance(node, ast.expr) and not isinstance(node, elsewise):
        yield ast.UnaryOp(ast.Not(), node)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


class Loop:
    """A plugin that collects the tests once, and runs those that reach a mutant in a fork."""

    def __init__(self, subject: Subject, chosen: Sequence[Mutant], tree: ast.Module) -> None:
        self.subject = subject
        self.chosen = chosen
        self.tree = tree
        self.score = Score()
        # Mutants that are noticed, if at all, while the tests are imported.
        self.left: list[int] = []
        self.functions: Sequence[FunctionType] = ()
        self._in_child = False

    def pytest_runtest_logreport(self, report: Any) -> None:
        """End a fork at the first test that fails."""
        if report.failed and self._in_child:
            os._exit(1)

    def pytest_runtestloop(self, session: Any) -> bool:
        """Instead of running the tests, try each mutant."""
        import_module(self.subject.module)
        self.functions = _functions(self.subject.file)
        gc.freeze()  # so that no fork touches, and copies, what is there already
        reached = self._baseline(session.items)
        named = {item.nodeid: item for item in session.items}
        unchanged = replace(self.chosen[0], change="none", apply=lambda: None)
        if not self._passes(session.items, unchanged, sum(s for _, s in reached.values())):
            raise SystemExit(f"{self.subject.name}: the tests fail in a fork without any change")
        for place, mutant in enumerate(self.chosen):
            able = [n for n, (lines, _) in reached.items() if lines & mutant.lines]
            able.sort(key=lambda name: reached[name][1])
            seconds = sum(reached[name][1] for name in able)
            tests = [named[name] for name in able]
            if tests and not self._passes(tests, mutant, seconds):
                self.score.killed += 1
            else:
                self.left.append(place)
        return True

    def _passes(self, tests: Sequence[Any], mutant: Mutant, seconds: float) -> bool:
        child = os.fork()
        if child:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code == _BROKEN:
                raise SystemExit(f"{self.subject.name}: cannot be tried: {mutant.change}")
            return code == 0
        self._in_child = True
        _limit(seconds)
        try:
            mutant.apply()
            _swap(self.tree, self.subject.file, mutant, self.functions)
            _run(tests)
        finally:
            os._exit(_BROKEN)
        return False

    def _baseline(self, items: Sequence[Any]) -> dict[str, tuple[set[int], float]]:
        """The lines of the module that each test runs, and its seconds."""

        def traced() -> dict[str, tuple[set[int], float]]:
            self._in_child = True
            return _traced(items, str(self.subject.file))

        found: dict[str, tuple[set[int], float]] = _in_a_child(traced)
        return found


def _run(tests: Sequence[Any]) -> None:
    for test, following in zip(tests, [*tests[1:], None], strict=True):
        test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
    os._exit(0)


def _limit(seconds: float) -> None:
    """Let a process that runs in circles end, which is noticed."""
    for each in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(each, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, 10 + 5 * seconds)
    signal.setitimer(signal.ITIMER_REAL, 120 + 50 * seconds)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _traced(items: Sequence[Any], file: str) -> dict[str, tuple[set[int], float]]:
    found: dict[str, tuple[set[int], float]] = {}
    lines: set[int] = set()

    def local(frame: FrameType, event: str, _argument: object) -> Any:
        lines.add(frame.f_lineno)
        return local

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != file:
            return None
        lines.add(frame.f_lineno)
        return local

    for item, following in zip(items, [*items[1:], None], strict=True):
        start = process_time()
        sys.settrace(trace)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        sys.settrace(None)
        found[item.nodeid] = (set(lines), process_time() - start)
        lines.clear()
    return found


def _functions(file: Path) -> list[FunctionType]:
    """Every function of the module that is alive."""
    # `isinstance` would ask objects of torch for their class, which warns.
    found = (each for each in gc.get_objects() if type(each) is FunctionType)
    return [each for each in found if each.__code__.co_filename == str(file)]


def _swap(tree: ast.Module, file: Path, mutant: Mutant, functions: Sequence[FunctionType]) -> None:
    """Give each of these functions that the mutant is in, or around, the changed code."""
    whole = compile(tree, str(file), "exec")
    changed = [code for code in _codes(whole) if _key(code) == mutant.function]
    swapped = 0
    for code in (*changed, *(inner for each in changed for inner in _codes(each))):
        for each in functions:
            old = each.__code__
            if _key(old) == _key(code) and old.co_freevars == code.co_freevars:
                each.__code__ = code
                swapped += 1
    assert swapped, mutant


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_name, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


class _Changed(SourceFileLoader):
    """Loads a module from a tree that was changed."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        """The code of the changed tree."""
        return compile(self._tree, self.path, "exec")


class _Finder:
    """Finds the changed module."""

    def __init__(self, subject: Subject, tree: ast.Module) -> None:
        self._subject, self._tree = subject, tree

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        """The module, if it is this one."""
        if name != self._subject.module:
            return None
        file = str(self._subject.file)
        package = [str(Path(file).parent)] if file.endswith("__init__.py") else None
        loader = _Changed(name, file, self._tree)
        return spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=package
        )


def _count(score: Score, subject: Subject, mutant: Mutant, *, noticed: bool) -> None:
    place = _place(subject, mutant)
    if noticed:
        score.killed += 1
    elif place in subject.known:
        score.equivalent.append(place)
    else:
        score.survivors.append(f"{subject.file.name}:{mutant.line}: {mutant.change}")
        _say(f"{subject.file.name}:{mutant.line}: {mutant.change}\n    {place[0]}")


def _place(subject: Subject, mutant: Mutant) -> tuple[str, str]:
    """The line of the mutant and its change, by which the list knows it."""
    lines = subject.text.splitlines()
    return lines[mutant.line - 1].strip(), mutant.change


_OUT: Final = os.dup(1)


def _say(text: str) -> None:
    os.write(_OUT, f"{text}\n".encode())


def tried(subject: Subject, *, sample: int | None, seed: int) -> Score:
    """What becomes of the mutants of a module. It must not be imported yet."""
    tree = ast.parse(subject.text)
    chosen = mutants(tree)
    if subject.functions_only:
        chosen = [each for each in chosen if each.function is not None]
    if sample is not None and sample < len(chosen):
        random = Random(seed)  # noqa: S311 - reproducible, not secret
        chosen = sorted(random.sample(chosen, sample), key=lambda each: each.line)
    within = [each for each in chosen if each.function is not None]
    score: Score
    score, left = _in_a_child(lambda: _looped(subject, within, tree))
    imported = [each for each in chosen if each.function is None]
    imported += [within[place] for place in left]
    if imported and not _passes_imported(subject, tree, None):
        raise SystemExit(f"{subject.name}: the tests fail without any change")
    for each in imported:
        known = _place(subject, each) in subject.known
        noticed = not known and not _passes_imported(subject, tree, each)
        _count(score, subject, each, noticed=noticed)
    return score


def _looped(
    subject: Subject, within: Sequence[Mutant], tree: ast.Module
) -> tuple[Score, list[int]]:
    loop = Loop(subject, within, tree)
    if within and _pytest(subject, [], [loop]):
        raise SystemExit(f"{subject.name}: its tests cannot be collected, or fail without a change")
    return loop.score, loop.left


def _in_a_child(function: Callable[[], Any]) -> Any:
    """What the function returns in a process of its own, whose imports end with it."""
    with tempfile.NamedTemporaryFile() as file:
        child = os.fork()
        if not child:
            try:
                Path(file.name).write_bytes(pickle.dumps(function()))
                os._exit(0)
            except SystemExit as error:
                _say(str(error))
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1]:
            raise SystemExit(1)
        return pickle.loads(Path(file.name).read_bytes())  # noqa: S301 - written above


def _passes_imported(subject: Subject, tree: ast.Module, mutant: Mutant | None) -> bool:
    """Whether the tests pass in a process that imports the changed module."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    _limit(60)
    if mutant is not None:
        mutant.apply()
    sys.meta_path.insert(0, _Finder(subject, tree))
    os._exit(_pytest(subject, ["-x"], []))


def _pytest(subject: Subject, options: Sequence[str], plugins: Sequence[Any]) -> int:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    tests = [str(file) for pattern in subject.tests for file in sorted(ROOT.glob(pattern))]
    plain = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(ROOT)]
    plain += ["-W", "ignore:Module already imported"]  # hypothesis, by `_prepare`
    return int(pytest.main([*plain, *options, *tests], plugins=list(plugins)))


def _prepare() -> None:
    """Import what takes long and is not changed, and let hypothesis repeat itself."""
    import torch
    from hypothesis import Phase, settings

    torch.set_num_threads(1)
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", derandomize=True, database=None, phases=phases)
    settings.load_profile("mutants")


def subjects() -> dict[str, Subject]:
    """The modules of the list."""
    data = tomllib.loads(_LIST.read_text(encoding="utf-8"))
    return {name: Subject(name=name, **each) for name, each in data.items()}


def main() -> None:
    known = subjects()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*known], metavar="MODULE")
    parser.add_argument("--sample", type=int, help="try no more mutants of a module")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    assert not any(name.startswith("rnnshape") for name in sys.modules)
    _prepare()
    found = False
    for name in options.names:
        start = perf_counter()
        child = os.fork()
        if child:
            found |= os.waitpid(child, 0)[1] != 0
            continue
        score = tried(known[name], sample=options.sample, seed=options.seed)
        equivalent = len(score.equivalent)
        count = score.killed + equivalent + len(score.survivors)
        _say(
            f"{name}: {count} mutants, {score.killed} noticed, {equivalent} equivalent,"
            f" {len(score.survivors)} survive ({perf_counter() - start:.0f} s)"
        )
        unneeded = sorted(known[name].known - {*score.equivalent})
        for line, change in unneeded if options.sample is None else ():
            _say(f"{name}: listed without need: {change}\n    {line}")
        os._exit(bool(score.survivors))
    sys.exit(found)


if __name__ == "__main__":
    main()
