"""A reader of hints: it knows a request and the words of a hint, and does what they say."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from rnnshape.cli.commands import Commands
from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS, spelled
from rnnshape.sources.constructor import CONSTRUCTORS

_FLAGS: Final = {
    *("--time", "--train", "--full", "--update", "--init"),
    *(f"--{f.alias}" for f in FIELDS.values() if f.takes in ("flag", "switch")),
    *(f"--no-{f.alias}" for f in FIELDS.values() if f.takes == "switch"),
}
_BUDGETS: Final = ("--params", "--macs", "--bytes", "--match")
_COMMAND: Final = re.compile(
    rf"rnnshape(?= (?:{'|'.join(Commands().list_commands(None))})\b)(.*?)"
    r"(?= lists | writes | on your own |, | \.\.\.|$)"
)
_QUOTED: Final = re.compile(r"""(?<!\S)("[^"]*"|'[^']*')(?!\S)""")
_OR: Final = re.compile("; |, or (?:give )?")
_ARGUMENT: Final = re.compile(r"\b([a-z_]+)=((?:'[^']*'|\([^)]*\)|[^\s,;:)])+)")


def parts(hint: str) -> list[str]:
    """What a hint offers: each can be done instead of the others."""
    masked = _QUOTED.sub(lambda found: "x" * len(found[0]), hint)
    breaks = [(0, 0), *(each.span() for each in _OR.finditer(masked)), (len(hint), len(hint))]
    return [hint[end:start] for (_, end), (start, _) in pairwise(breaks)]


def followed(words: Sequence[str], problem: str, hint: str) -> Iterator[list[str]]:
    """The command line after each thing that a hint offers and that can be done literally."""
    if hint.startswith("the command comes first: "):
        yield shlex.split(hint)[5:]
        return
    within = hint.startswith("in the target: ")
    hint = hint.removeprefix("quote it, or the shell interprets < and >: ")
    for part in parts(hint.removeprefix("in the target: ")):
        if command := _COMMAND.search(part):
            yield shlex.split(command[1])
        elif within or part.endswith(" the target") or " the target" in part.partition(":")[0]:
            yield from _in_target(words, problem, part)
        else:
            yield from _on_command(list(words), problem, part)


def _in_target(words: Sequence[str], problem: str, part: str) -> Iterator[list[str]]:
    text = re.sub(r" (in|of) the target.*", "", part)
    beside = re.search(r"in the target and (--.*)", part)
    for place, word in enumerate(words):
        target = shlex.split(word)
        if len(target) < 2 or target[0] not in ("lstm", "gru", "rnn"):
            continue
        changes = (
            [shlex.split(text)]
            if text.startswith(("lstm ", "rnn ", "gru "))
            else _on_command(target, problem, text)
        )
        for changed in changes:
            request = [*words[:place], shlex.join(changed), *words[place + 1 :]]
            yield from _on_command(request, problem, beside[1]) if beside else [request]


def _on_command(words: list[str], problem: str, part: str) -> Iterator[list[str]]:
    for follow in (_left_out, _replaced, _chosen, _given):
        changed = list(follow(words, problem, part))
        if changed:
            yield from changed
            return


def _left_out(words: list[str], problem: str, part: str) -> Iterator[list[str]]:
    if gone := re.match(r"(?:leave|without) (-\S+?)(?: out)?(?:,|:|$)", part):
        yield _without(words, gone[1])
    elif gone := re.match(r"leave (\w+) out", part):
        yield [re.sub(rf", {gone[1]}=\w+", "", word) for word in words]
    elif either := re.fullmatch(r"leave out (\S+) or (\S+)", part):
        yield from (_without(words, name) for name in either.groups())


def _replaced(words: list[str], problem: str, part: str) -> Iterator[list[str]]:
    """One word instead of another."""
    if constructor := re.search(r"nn\.\w+\(.*\)", part):
        yield [constructor[0] if "(" in word else word for word in words]
    elif other := re.match(r"(--\S+) instead of (--\S+)", part):
        yield [other[1] if word == other[2] else word for word in words]
    elif kind := re.match(r"(\w+) in its place", part):
        blamed = re.findall(r"no kind (\w+)", problem)
        yield [kind[1] if word in blamed else word for word in words]
    elif (unknown := re.search(r"has no option (\S+)$", problem)) and part.startswith("--"):
        yield [part if word == unknown[1] else word for word in words]


def _chosen(words: list[str], problem: str, part: str) -> Iterator[list[str]]:
    """One of several values, or another expectation."""
    if choice := re.match(r"one of ([\w.]+)", part):
        name = next(each for each in ("only", "dtype", "device") if each in problem)
        in_call = {name: repr(choice[1])}
        if any(f"{name}=" in word for word in words):
            yield [_with_arguments(w, in_call) if "(" in w else w for w in words]
        else:
            yield _with(words, f"--{name}", choice[1])
    elif typed := re.search(r'^(?:add )?(?:--expect )?(".*?")$', part):
        extra = re.match(r"unexpected (\S+) after", problem)
        kept = [word for word in words if extra is None or word != extra[1]]
        yield _with(kept, "--expect", typed[1].strip('"'))


def _given(words: list[str], problem: str, part: str) -> Iterator[list[str]]:
    """Options or arguments with the values to give them."""
    if option := re.match(r"(?:add |give |.*, as in )?(-.*)", part):
        yield _with_options(words, problem, shlex.split(option[1].partition(": ")[0]))
    elif arguments := _ARGUMENT.findall(part):
        yield [_with_arguments(word, dict(arguments)) if "(" in word else word for word in words]


def _with_options(words: list[str], problem: str, options: list[str]) -> list[str]:
    if problem.startswith("unexpected "):
        words = words[:1]
    while options and options[0].startswith("-"):
        name = options.pop(0)
        value = None if name in _FLAGS or not options else options.pop(0)
        blamed = problem.split(maxsplit=1)[0]
        if blamed in words and (name.startswith(blamed) or {name, blamed} <= {*_BUDGETS}):
            words = _without(words, blamed)
        words = _with(words, name, value)
    return words


def _name(word: str) -> str:
    """The option that a word is: `--hidden_size=40` is `--hidden`."""
    if word.startswith("-f"):
        return "--format"
    name = word.partition("=")[0]
    return f"--{spelled(name.removeprefix('--'))}" if name.startswith("--") else word


def _span(words: Sequence[str], name: str) -> tuple[int, int] | None:
    """Where the option and its value are, the last one of several."""
    places = [place for place, word in enumerate(words) if _name(word) == _name(name)]
    if not places:
        return None
    joined = "=" in words[places[-1]] or _name(name) in _FLAGS or words[places[-1]][2:] == "xml"
    return places[-1], places[-1] + (1 if joined else 2)


def _without(words: Sequence[str], name: str) -> list[str]:
    span = _span(words, name)
    return [*words] if span is None else [*words[: span[0]], *words[span[1] :]]


def _with(words: Sequence[str], name: str, value: str | None) -> list[str]:
    start, end = _span(words, name) or (len(words), len(words))
    return [*words[:start], name, *([] if value is None else [value]), *words[end:]]


def _with_arguments(text: str, arguments: dict[str, str]) -> str:
    """A call with other arguments, whether they stand there by place or by name."""
    outer = ast.parse(text, mode="eval").body
    assert isinstance(outer, ast.Call)
    calls = [each for each in ast.walk(outer) if isinstance(each, ast.Call)]
    inner = (c for c in calls if {word.arg for word in c.keywords} & arguments.keys())
    call = next(inner, outer)
    named = {word.arg: word.value for word in call.keywords}
    constructor = CONSTRUCTORS.get(ast.unparse(call.func))
    order = constructor.arguments if constructor else ()
    for name, value in arguments.items():
        node = ast.parse(value, mode="eval").body
        if name in order[: len(call.args)]:
            call.args[order.index(name)] = node
        else:
            named[name] = node
    call.keywords = [ast.keyword(name, value) for name, value in named.items()]
    return ast.unparse(outer)


def followed_in_python(text: str, error: RequestError) -> Iterator[str]:
    """A call of Python after each thing that a hint offers and that can be done literally."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):  # a target
        changed = [words for words in _of_text(first.value, error) if words != [first.value]]
        for (word,) in changed:
            yield ast.unparse(ast.Call(call.func, [ast.Constant(word)], call.keywords))
        if changed:
            return
    for part in parts(error.hint):
        if choice := re.match(r"one of ([\w.]+)", part):
            name = "dtype" if "dtype" in error.problem else "device"
            yield _with_arguments(text, {name: repr(choice[1])})
        elif gone := re.match(r"leave (\w+) out", part):
            call.keywords = [word for word in call.keywords if word.arg != gone[1]]
            yield ast.unparse(call)
        elif whole := re.search(r"\b(?:rnnshape\.\w+|report\.\w+|expect)\(.*\)", part):
            yield whole[0]
        elif arguments := _ARGUMENT.findall(part):
            yield _with_arguments(text, dict(arguments))


def _of_text(text: str, error: RequestError) -> Iterator[list[str]]:
    """A target or an expectation that is changed as the hint says."""
    if error.hint.startswith('"'):
        yield [error.hint[1:].partition('"')[0]]
    else:
        yield from followed([text], error.problem, error.hint)


def followed_in_toml(text: str, problem: str, hint: str) -> Iterator[str]:
    """A manifest of one module after each thing that a hint offers and that can be done there."""
    lines = text.splitlines()
    within = "in the target: " if hint.startswith("in the target: ") else ""
    for part in parts(hint.removeprefix(within)):
        if within or " the target" in part or (_ARGUMENT.match(part) and "(" in text):
            yield from _target_changed(lines, problem, f"{within}{part}")
        elif choice := re.match(r"one of ([\w.]+)", part):
            key = "dtype" if "dtype" in problem else "device"
            yield "\n".join([*_without_key(lines, key), f'{key} = "{choice[1]}"'])
        elif header := re.match(r"\[(.*?)\](?: begins one)?(?: and below it (.*))?$", part):
            yield "\n".join([f"[{header[1]}]", header[2] or 'target = "nn.LSTM(20, 40)"'])
        elif setting := re.match(r"(\w+) = (.*)", part):
            yield "\n".join([*_without_key(lines, setting[1]), f"{setting[1]} = {setting[2]}"])
        elif part.startswith('"'):
            yield "\n".join([*_without_key(lines, "expect"), f"expect = [{part}]"])
        elif gone := re.match(r"leave (it|\w+) out(?:$|[,:])", part):
            blamed = re.search(r"unknown key (\w+)|'?(\w+)'? and \w+ are", problem)
            key = gone[1] if gone[1] != "it" or blamed is None else blamed[1] or blamed[2]
            yield "\n".join(_without_key(lines, key))
        elif either := re.match(r"leave out (\w+) or (\w+)", part):
            yield from ("\n".join(_without_key(lines, key)) for key in either.groups())
        elif unknown := re.search(r"unknown key (\w+)", problem):
            yield re.sub(rf"\b{unknown[1]}\b(?= =|\.)", part, text)


def _target_changed(lines: list[str], problem: str, part: str) -> Iterator[str]:
    for place, line in enumerate(lines):
        key, equals, value = line.partition(" = ")
        if equals and key in ("target", "matches"):
            for changed in followed([ast.literal_eval(value)], problem, part):
                new = f'{key} = "{changed[0]}"'
                yield "\n".join([*lines[:place], new, *lines[place + 1 :]])


def _without_key(lines: Sequence[str], key: str) -> list[str]:
    return [line for line in lines if line.partition(" = ")[0] != key]
