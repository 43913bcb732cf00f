"""The command line that a refused one most likely means: the hint that a person can paste."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from typer.exceptions import TyperException

from rnnshape import synonyms
from rnnshape.cli.commands import application
from rnnshape.document.sections import MEASURED, SECTIONS
from rnnshape.errors import RequestError, near, word
from rnnshape.fields import FIELDS, fields_of, spelled
from rnnshape.layer.settings import DType
from rnnshape.render import Format
from rnnshape.sources.amounts import parsed_amount
from rnnshape.sources.expression import looks_like_call, with_arguments
from rnnshape.sources.options import read_options
from rnnshape.sources.registry import adds_up, is_layer
from rnnshape.sources.rewording import (
    KINDS,
    Option,
    Rewording,
    bare_options,
    default_is,
    divided,
    field_option,
    is_number,
    kind_for,
    layers_in,
    misspelt_option,
    reworded,
    sized,
    target_meant,
)
from rnnshape.synonyms import FALSE, TRUE, one_of, squeezed
from rnnshape.words import basic_string

_BUDGETS: Final = ("--params", "--macs", "--bytes", "--match")
# Which command has an option that a layer's command lacks.
_ELSEWHERE: Final = {
    **dict.fromkeys(_BUDGETS, "budget"),
    **dict.fromkeys(("--plot", "--sort", "--limit"), "compare"),
}
_DTYPES: Final = {each.value for each in DType}
_PROGRAM: Final = ("$", ">", "%", "python", "python3", "-m", "rnnshape")
_NAMED: Final = re.compile(r"^(?!(?:cuda|xpu|mps|cpu):)(\w+):(?=[0-9])")  # `hidden:20`
_CAPITALS: Final = re.compile(r"^--[A-Z][A-Z_-]+(?=$|=)")  # `--EXPECT`
_JOINED: Final = re.compile(rf"(-f)({'|'.join(each.value for each in Format)})|(-o)(.*\..*)")
_ASSIGNED: Final = re.compile(r"\w+=[^\s,]+([,\s]+\w+=[^\s,]+)+")  # `hidden=20, layers=2`
_COPIES: Final = re.compile(r"(?:([0-9]+)\s*[xX*]\s*)?(.*)", re.DOTALL)
# Without a size that varies there is no plot.
_VARIED: Final = (("--hidden", "32,64,128"), ("--layers", "1,2,4"))
_LAYER_OPTIONS: Final = {field.option for field in fields_of("layer")}
_SIZES: Final = {field.option for field in FIELDS.values() if field.takes in ("size", "count")}
_LISTS: Final = frozenset({"--input-shape", "--lengths", *_SIZES})


def meant(arguments: Sequence[str]) -> str | None:
    """What to do instead: a command line, or an option to leave out. None where that is unclear."""
    if arguments[:1] == ["check"] and (hint := _of_manifest(arguments[1:])):
        return hint
    line = _Line.of([*_tidied(arguments)])
    if line is None:
        return None
    if line.alone is not None:
        return command_line(line.alone)
    words = line.words()
    if line.alone is not None:
        return command_line(line.alone)
    if words is None or words == list(arguments) or not _is_accepted(words):
        return None
    if line.only_leaves_out(arguments):
        ((option, reason),) = line.rewording.left_out
        return f"leave {option} out: {reason}"
    return command_line(words)


def _of_manifest(words: Sequence[str]) -> str | None:
    """What to do where `check` is given what a manifest says, or what it does in any case."""
    for place, each in enumerate(words):
        option, _, value = each.partition("=")
        if option == "--expect" and layers_in(words[:1]) is None:
            expectation = value or "".join(words[place + 1 : place + 2]) or "params <= 150k"
            return f"write expect = [{basic_string(expectation)}] into the manifest"
        if squeezed(option) in synonyms.STRICT:
            return f"leave {option} out: whatever fails ends with exit code 1"
    return None


def _tidied(arguments: Sequence[str]) -> Iterator[str]:
    """The words without a prompt, the program's own name, and commas and `=` on their own.

    Options are in small letters.
    """
    words = [_CAPITALS.sub(lambda option: option[0].lower(), each) for each in arguments]
    words = [part for each in words for part in _apart(each)]
    while words and words[0] in _PROGRAM:
        words.pop(0)
    whole = any("(" in word or word.startswith("--expect") for word in words)
    for each in words:
        if whole:
            yield each
        elif _ASSIGNED.fullmatch(each):
            yield from re.split(r"[,\s]+", each)
        elif each not in (",", "=", "--vs", "--versus"):
            yield _NAMED.sub(r"\1=", each.removesuffix(","))


def _apart(word: str) -> list[str]:
    """An option of one letter and its value, where one word is both: `-fjson`, `-oreport.md`."""
    match = _JOINED.fullmatch(word)
    return [*filter(None, match.groups())] if match else [word]


def compared(words: Sequence[str], option: str, listed: str) -> str:
    """The comparison that a layer's command means by a list of sizes.

    What to show is left out; another option that `compare` lacks is named instead.
    """
    kind, *options = words
    options[options.index(option) + 1] = listed
    comparison, lacking = _comparison([kind], options)
    if lacking:
        return f"rnnshape compare takes {option} {listed}, but has no {lacking[0]}"
    return command_line(comparison)


def _comparison(targets: Sequence[str], options: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that compare layers with these options, and the options that are lost."""
    known = {name for on, off, _ in _Line("compare", []).parameters() for name in (*on, *off)}
    groups = [*_grouped(options)]
    kept = [word for each in groups if each[0] in known for word in each]
    others = [name for name, *_ in groups if name not in known]
    if "--cell" in others:
        targets = [f"{each} --cell" for each in targets]
    lacking = [name for name in others if name not in ("--cell", "--show", "--full")]
    return ["compare", *targets, *kept], lacking


def _grouped(options: Sequence[str]) -> Iterator[list[str]]:
    """Each option with its value."""
    left = list(options)
    while left:
        group = [left.pop(0)]
        if left and not re.match("--?[a-zA-Z]", left[0]):
            group.append(left.pop(0))
        yield group


def command_line(words: Sequence[str]) -> str:
    """The command line of these words, for a shell; in double quotes where a word needs some."""
    return " ".join(("rnnshape", *map(_quoted, words)))


def _quoted(text: str) -> str:
    plain = text.isprintable() and not re.search(r'["$`\\!]', text)
    return f'"{text}"' if plain and word(text) != text else word(text)


def _is_accepted(words: Sequence[str]) -> bool:
    """Whether the options of a command line are those of its command."""
    with _context(words[0]) as context:
        context.resilient_parsing = False  # or wrong options would be passed over
        try:
            _, extra, _ = context.command.make_parser(context).parse_args([*words[1:]])
        except TyperException:
            return False
    return not extra or any(each.nargs == -1 for each in context.command.params)


def _shown_once(words: Sequence[str]) -> list[str]:
    """The words with every `--show` in one list."""
    shown = [value for name, value in pairwise(words) if name == "--show"]
    if len(shown) < 2:
        return [*words]
    rest = [word for each in _grouped(words) if each[0] != "--show" for word in each]
    return [*rest, "--show", ",".join(dict.fromkeys(shown))]


def _context(name: str) -> Any:
    """A context of the command, whose options are known and whose arguments are not read."""
    group = application()
    outer = group.make_context("rnnshape", [name], resilient_parsing=True)
    command = group.get_command(outer, name)
    assert command is not None
    return command.make_context(name, [], parent=outer, resilient_parsing=True)


class _Line:
    """A command line while it is reworded."""

    def __init__(self, command: str, rest: Sequence[str], *, changed: bool = False) -> None:
        self.command, self.rest, self.changed = command, list(rest), changed
        self.alone: list[str] | None = None  # the whole of it, where nothing is left to reword
        self.rewording = Rewording()
        self.kind = ""  # the layer whose command was given, where another command is meant
        self.of_targets: list[str] = []  # options of the layer that only a target can have

    @classmethod
    def of(cls, arguments: list[str]) -> _Line | None:
        """The command that is meant, and the words after it."""
        words, kind = _without_kind_option(_with_whole_values(arguments))
        names = application().list_commands(None)  # type: ignore[arg-type]
        first = words[0] if words else ""
        summed = _sum(" ".join(words[first in ("inspect", "compare") :]))
        if summed and not any(map(_sum, words)):
            return cls("compare", [summed], changed=True)
        if kind is not None and first.lower() in ("inspect", "compare", "check"):
            return None
        if kind is not None and first.lower() == "budget":
            return cls("budget", [kind, *words[1:]], changed=True)
        if kind is not None and (first.lower() in KINDS or first.lower() not in names):
            rest = words[1:] if first.lower() in KINDS else words
            return cls(*_split(kind, rest), changed=True)
        if first.lower() == "check" and layers_in(words[1:2]) and "--init" not in words:
            return cls(*_kind_of(words[1:]), changed=True)
        if first.lower() in names and [each.lower() for each in words[1:]] == ["help"]:
            return cls._whole([first.lower(), "--help"])
        if first.lower() in KINDS and any(re.match("--matches(=|$)", each) for each in words):
            return cls("inspect", words, changed=True)
        if first.lower() in names:
            return cls(first.lower(), words[1:])
        if first.startswith("-"):
            return cls._from_option(words, names)
        return cls._from_word(words, names)

    @classmethod
    def _from_option(cls, words: list[str], names: Sequence[str]) -> _Line | None:
        bare = squeezed(words[0])
        if bare in ("v", "ver", "version"):
            return cls._whole(["--version"])
        if bare in ("usage", "man", "options", "?"):
            return cls._whole(["--help"])
        if bare in synonyms.LAYERS:
            return cls(*_split(synonyms.LAYERS[bare], words[1:]), changed=True)
        places = [place for place, each in enumerate(words) if each.lower() in names]
        if places:
            rest = [*words[: places[0]], *words[places[0] + 1 :]]
            return cls(words[places[0]].lower(), rest, changed=True)
        return cls("lstm", words, changed=True)

    @classmethod
    def _from_word(cls, words: list[str], names: Sequence[str]) -> _Line | None:
        first, rest = words[0] if words else "", words[1:]
        bare = squeezed(first)
        if bare in synonyms.LAYERS or bare in names:  # `bilstm`, `c-ompare`
            return cls(*_split(synonyms.LAYERS.get(bare, bare), rest), changed=True)
        if first.lower().endswith(".toml"):
            return cls("check", words, changed=True)
        targets = _targets(first) or []
        if len(targets) > 1 or any(map(adds_up, targets)):
            return cls("compare", [*targets, *rest], changed=True)
        if targets and (" " in first or looks_like_call(first)):
            return cls("inspect", [*targets, *rest], changed=True)
        if bare in synonyms.COMMANDS:
            return cls._from_synonym(synonyms.COMMANDS[bare], rest, names)
        section = one_of(first, SECTIONS, synonyms.SECTIONS)
        if section in SECTIONS:
            kind, others = _kind_of(rest)
            shown = [MEASURED[section]] if section in MEASURED else ["--show", str(section)]
            return cls(kind, [*others, *shown], changed=True)
        if is_number(first) or "=" in first:
            return cls("lstm", words, changed=True)
        layers = layers_in(words[:1]) or []
        if not layers and (command := near(first.lower(), names)):
            return cls(command, rest, changed=True)
        if not layers and (places := [p for p, each in enumerate(rest) if each.lower() in KINDS]):
            others = [*rest[: places[0]], *rest[places[0] + 1 :]]
            return cls(rest[places[0]].lower(), [first, *others], changed=True)
        return cls(layers[0], rest, changed=True) if layers else None

    @classmethod
    def _from_synonym(cls, meant: str, rest: list[str], names: Sequence[str]) -> _Line | None:
        if meant == "--version":
            return cls._whole(["--version"])
        if meant == "--help":
            command = [each.lower() for each in rest if each.lower() in names][:1]
            return cls._whole([*command, "--help"])
        if meant == "":
            if not rest or rest[0].startswith("-"):
                return cls._whole(["--help"]) if not rest else cls("lstm", rest, changed=True)
            if looks_like_call(rest[0]):
                return cls("inspect", rest, changed=True)
            inner = cls.of(rest)
            if inner is not None:
                inner.changed = True
            return inner
        if meant == "check" and rest and layers_in(rest[:1]):
            kind, others = _kind_of(rest)
            return cls(kind, others, changed=True)
        if meant == "compare" and not rest:
            rest = list(KINDS)
        return cls(meant, rest, changed=True)

    @classmethod
    def _whole(cls, words: list[str]) -> _Line:
        line = cls("", [])
        line.alone = words
        return line

    def only_leaves_out(self, arguments: Sequence[str]) -> bool:
        """Whether nothing is different but one option less."""
        one = len(self.rewording.left_out) == 1
        same = self.command == (arguments[0].lower() if arguments else "")
        return one and same and not (self.changed or self.rewording.changed or self.of_targets)

    def words(self) -> list[str] | None:
        """The whole command line, or None where a word of it means nothing."""
        found = reworded(self.rest, self._lookup, lists=_LISTS)
        named = None if found is None else [*bare_options([*map(self._section_named, found.loose)])]
        if found is None or named is None:
            return None
        if named != found.loose and self.command != "check":  # `hidden=40`
            more = reworded(named, self._lookup, lists=_LISTS)
            if more is None:
                return None
            found.options, found.loose = [*more.options, *found.options], more.loose
            found.changed = True
        self.rewording = found
        if self.command in ("inspect", "compare"):
            found_words = self._of_each_target() or self._of_targets()
        else:
            found_words = self._of_command()
        return None if found_words is None else _shown_once(found_words)

    def _section_named(self, word: str) -> str:
        """A bare word as the option that shows a section or chooses a format, if it names one."""
        names = (*SECTIONS, *(each.value for each in Format))
        shows = self.command in (*KINDS, "inspect") and word.lower() in {*names} - {"header"}
        plurals = {"shape": "shapes", "gate": "gates", "costs": "cost", "weight": "weights"}
        word = plurals.get(word.lower(), word) if self.command in KINDS else word
        budget = self.command == "budget" and f"--{word.partition('=')[0]}" in _BUDGETS
        return f"--{word}" if shows or budget or word in plurals.values() else word

    def _of_command(self) -> list[str] | None:
        loose, options = [*divided(self.rewording.loose)], self.rewording.options
        if self.command == "check":
            if "--init" in options and not loose:
                return None
            return ["check", *loose, *options]
        if self.command == "explain":  # whose words are an error's
            return ["explain", *self.rewording.loose, *options]
        if self.command == "budget":
            return self._of_budget(loose, options)
        return self._of_layer(loose, options)

    def _of_layer(self, loose: list[str], options: list[str]) -> list[str] | None:
        if len(loose) == 1 and is_layer(loose[0]):
            return ["inspect", target_meant(loose[0]) or loose[0], *options]
        options = _as_shape(options)
        if "--expect" in options:  # it is given once for each expectation
            more = [each for each in loose if re.search(r"[<>=]\s*\S", each)]
            options += [word for each in more for word in ("--expect", each)]
            loose = [each for each in loose if each not in more]
        numbers = [each for each in loose if is_number(each)]
        layers = layers_in([each for each in loose if each not in numbers])
        if layers is None or (layers and numbers):
            return None
        sizes = sized(numbers, options)
        if sizes is None:
            return None
        kind = kind_for(self.command, options)
        if kind is None:
            return None
        others = [layer for layer in layers if layer != self.command]
        if others or _has_list(options):
            comparison, lacking = _comparison([kind, *others], [*sizes, *options])
            return None if lacking else comparison
        return [kind, *sizes, *options]

    def _of_budget(self, loose: list[str], options: list[str]) -> list[str] | None:
        amounts = [each for each in loose if parsed_amount(each) is not None]
        layers = layers_in([each for each in loose if each not in amounts])
        if layers is None or len(layers) > 1 or len(amounts) > 1:
            return None
        named, given = _split(layers[0] if layers else self.kind or "lstm", [])
        kind = kind_for(named, options)
        budget = {True: "--bytes", False: "--params"}
        more = [
            part
            for each in amounts
            if (amount := parsed_amount(each)) is not None
            for part in (budget[amount.in_bytes], each)
        ]
        groups = [*_grouped([*more, *options])]
        budgets = [each for each in groups if each[0] in _BUDGETS]
        sought = ["--solve", "proj"] in groups
        others = [
            word
            for each in groups
            if each not in budgets and each[0] != ("--proj" if sought else "--hidden")
            for word in each
        ]
        if kind is None or len({each[0] for each in budgets}) < len(budgets):
            return None
        return ["budget", kind, *given, *next(iter(budgets), ["--params", "1M"]), *others]

    def _of_each_target(self) -> list[str] | None:
        """The line with the options and sizes behind each layer as that layer's own.

        None where fewer than two layers have some, or one of these is not a target.
        """
        parts: list[list[str]] = []
        for each in self.rest:
            if layers_in([each]):
                parts.append([])
            if not parts:
                return None
            parts[-1].append(each)
        targets, shared, own = [], [], 0
        for first, *rest in parts:
            self.of_targets = []
            found = reworded([*bare_options(rest)], self._lookup, lists=_LISTS)
            if found is None:
                return None
            groups = [*_grouped([*self.of_targets, *found.options])]
            layer = [each for each in groups if each[0].replace("--no-", "--") in _LAYER_OPTIONS]
            shared += [word for each in groups if each not in layer for word in each]
            words = [first, *found.loose, *(word for each in layer for word in each)]
            targets.append(target_meant(" ".join(words)) or "")
            own += len(words) > 1
        several = own > 1 and all(map(_is_readable, targets))
        return [self.command, *targets, *shared] if several else None

    def _of_targets(self) -> list[str] | None:
        loose = [*filter(None, [self.kind]), *self.rewording.loose]
        numbers = [each for each in loose if is_number(each)]
        read = [_targets(each) for each in loose if each not in numbers]
        targets = [target for found in read for target in found or ()]
        more = [*numbers, *self.of_targets]
        if None in read or not targets:
            return None
        options = self.rewording.options
        if self.kind and "--plot" in options and not _has_list(options):
            varied = next(([*each] for each in _VARIED if each[0] not in options), None)
            if varied is None:
                return None
            options += varied
        if numbers and (self.command == "compare" or len(targets) > 1):
            sizes = sized(numbers, self.rewording.options)
            if sizes is None:
                return None
            self.rewording.options[:0], more = sizes, self.of_targets
        if more:
            targets = [_with_options(each, more) for each in targets]
        if self.command == "inspect" and any(map(adds_up, targets)):
            comparison, lacking = _comparison(targets, self.rewording.options)
            return None if lacking or "" in targets else comparison
        return None if "" in targets else [self.command, *targets, *self.rewording.options]

    def _lookup(self, name: str, value: str | None) -> Option | None:
        for lookup in (
            self._own,
            self._of_check,
            self._synonym,
            self._field,
            self._section_or_format,
            self._setting,
            self._elsewhere,
            self._misspelt,
        ):
            found: Option | None = lookup(name, value)
            if found is not None:
                is_file = found.words[:1] != ("--output",) or "." in found.words[-1]
                return found if is_file or lookup == self._own else None
        return None

    def parameters(self) -> Iterator[tuple[list[str], list[str], Any]]:
        with _context(self.command) as context:
            for each in context.command.get_params(context):
                if each.param_type_name == "option":
                    yield each.opts, each.secondary_opts, each

    def _options(self) -> list[str]:
        return [name for on, off, _ in self.parameters() for name in (*on, *off)]

    def _own(self, name: str, value: str | None) -> Option | None:
        """An option that the command has."""
        plain = f"--{spelled(name[2:])}" if name.startswith("--") else name
        if name == "-h" and value is not None and is_number(value):
            return self._field("--hidden", value)
        for on, off, parameter in self.parameters():
            if plain not in (*on, *off):
                continue
            if not parameter.is_flag:
                if value is not None:
                    return Option((plain, value), takes_value=True)
                known = plain in (each.option for each in FIELDS.values())
                return field_option(plain, None) if known else None
            truth = value.lower() if value is not None and value.lower() in TRUE | FALSE else None
            if truth not in FALSE:
                return Option((plain,), takes_value=truth is not None)
            if plain in off:
                return Option((on[0],), takes_value=True)
            if off:
                return Option((off[0],), takes_value=True)
            return Option((), takes_value=True, reason=default_is(value=False))
        return None

    def _of_check(self, name: str, value: str | None) -> Option | None:
        setting = synonyms.SETTINGS_OF_CHECK.get(squeezed(name))
        if self.command != "check":
            return None
        if value is not None and value.endswith(".toml"):
            return Option((value,), takes_value=True)
        return Option((setting,)) if setting in self._options() else None

    def _synonym(self, name: str, value: str | None) -> Option | None:
        option = synonyms.OPTIONS.get(squeezed(name))
        if option is None or option not in self._options():
            return None
        return self._own(option, value)

    def _field(self, name: str, value: str | None) -> Option | None:
        return self._placed(field_option(name, value))

    def _misspelt(self, name: str, value: str | None) -> Option | None:
        own = [option[2:] for option in self._options() if option.startswith("--")]
        bare = name.strip("-").lower()
        # `--input-sie` is near to --input-shape, but nearer to input_size.
        found = near(bare, [*own, *synonyms.names_of_fields()]) or near(bare, own)
        if found not in own:
            return self._placed(misspelt_option(name, value))
        if f"--{found}" in _SIZES and value and not re.search("[0-9]", value):
            return self._placed(misspelt_option(name, value))
        return self._own(f"--{found}", value)

    def _placed(self, found: Option | None) -> Option | None:
        """The option where the command has it, or where its targets can have it."""
        if found is None or not found.words or found.words[0] in self._options():
            return found
        option = found.words[0].replace("--no-", "--")
        if option in _LAYER_OPTIONS and self.command in ("inspect", "compare"):
            self.of_targets += found.words
            return Option((), takes_value=found.takes_value)
        if option in _LAYER_OPTIONS and self.command in KINDS:
            return found  # another kind of layer has it
        return None

    def _section_or_format(self, name: str, value: str | None) -> Option | None:
        own = self._options()
        amount = value is not None and parsed_amount(value) is not None
        section = one_of(name, ("all", *SECTIONS), synonyms.SECTIONS)
        if section in MEASURED:
            return Option((MEASURED[section],)) if MEASURED[section] in own else None
        if section is not None and "--show" in own and not amount:
            return Option(("--show", section))
        format_ = one_of(name, [each.value for each in Format], synonyms.FORMATS)
        if format_ is None:
            return None
        if value is not None and "." in value:
            return Option(("-o", value), takes_value=True)
        return Option(("-f", format_))

    def _setting(self, name: str, value: str | None) -> Option | None:
        setting = synonyms.SETTINGS.get(squeezed(name))
        if setting is None or setting.split()[0] not in (*self._options(), "--help"):
            return None
        return Option(tuple(setting.split()))

    def _elsewhere(self, name: str, value: str | None) -> Option | None:
        """An option of another command, which then takes the place of this one."""
        if squeezed(name) == "version":
            self.alone = ["--version"]
            return Option(())
        option = f"--{spelled(name.lstrip('-'))}"
        option = option if option in _ELSEWHERE else synonyms.OPTIONS.get(squeezed(name), "")
        if option not in _ELSEWHERE or self.command not in KINDS:
            return None
        if value is None:
            self.alone = [_ELSEWHERE[option], "--help"]
            return Option(())
        self.kind, self.command = self.command, _ELSEWHERE[option]
        return Option((option, value), takes_value=True)


def _targets(text: str) -> list[str] | None:
    """The targets that a word most likely means: `lstm,gru` is two, `vs` none."""
    if text == "-" or looks_like_call(text):
        return [text]
    if (summed := _sum(text)) is not None:
        return [summed]
    layers, found = layers_in(text.split()), target_meant(text)
    if layers is not None:
        return layers
    return None if found is None else [found]


def _sum(text: str) -> str | None:
    """The sum or the copies that a text most likely means: `bilstm+gru`, `2xlstm`."""
    terms = []
    for term in re.split(r"\s*\+\s*(?![^(]*\))", text):
        copies, layer = _COPIES.fullmatch(term.strip()).groups()  # type: ignore[union-attr]
        is_call = looks_like_call(layer) and layer.endswith(")")
        meant = layer if is_call else target_meant(layer)
        if meant is None:
            return None
        terms.append(f"{copies} x {meant}" if copies else meant)
    found = " + ".join(terms)
    return found if adds_up(found) else None


def _is_readable(target: str) -> bool:
    try:
        return bool(read_options(target).config)
    except RequestError:
        return False


def _with_options(target: str, options: Sequence[str]) -> str:
    """The target with more options; a call gets them as arguments, "" where that cannot be."""
    if looks_like_call(target):
        given = target_meant(" ".join(["lstm", *options]))
        return with_arguments(target, read_options(given).fields) or "" if given else ""
    return target_meant(" ".join([target, *options])) or ""


def _with_whole_values(words: Sequence[str]) -> list[str]:
    """The words with a value in two, `--params 1 M` or `--dtype float 16`, as one."""
    whole: list[str] = []
    for each in words:
        option, value = whole[-2:] if len(whole) > 1 else ("", "")
        if option in _BUDGETS and each.isalpha() and value.isdecimal():
            joined = parsed_amount(value + each) is not None
        else:
            joined = option == "--dtype" and synonyms.dtype_name(value + each) in _DTYPES
        whole[-1:] = [value + each] if joined else [*whole[-1:], each]
    return whole


def _without_kind_option(words: Sequence[str]) -> tuple[list[str], str | None]:
    """The words without an option whose value is a layer, `--type gru`, and that layer."""
    for place, each in enumerate(words):
        name, equals, value = each.partition("=")
        if not name.startswith("-"):
            continue
        if squeezed(name) in KINDS and not equals:
            return [*words[:place], *words[place + 1 :]], squeezed(name)
        if squeezed(name) not in synonyms.KIND_OPTIONS:
            continue
        following = value if equals else next(iter(words[place + 1 : place + 2]), "")
        bare = squeezed(following)
        if bare in KINDS or bare in synonyms.LAYERS:
            kind = synonyms.LAYERS.get(bare, bare)
            return [*words[:place], *words[place + 1 + (not equals) :]], kind
    return [*words], None


def _kind_of(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command of the first word that names a layer, or `lstm`, and the other words."""
    for place, each in enumerate(words):
        if layers := layers_in([each]):
            return _split(layers[0], [*words[:place], *words[place + 1 :]])
    return "lstm", [*words]


def _split(target: str, rest: Sequence[str]) -> tuple[str, list[str]]:
    kind, *given = target.split()
    return kind, [*given, *rest]


def _as_shape(options: Sequence[str]) -> list[str]:
    """The options with `--input 10,5,20` as the shape that it is."""
    following = [*options[1:], ""]
    return [
        "--input-shape" if each == "--input" and value.count(",") == 2 else each
        for each, value in zip(options, following, strict=False)
    ]


def _has_list(options: Sequence[str]) -> bool:
    """Whether a size is given as a list or a range, which only a comparison takes."""
    listed = re.compile(r"\d(,|\.\.)\d")
    return any(name in _SIZES and listed.search(value) for name, value in pairwise(options))
