"""Write a document to stdout and to files, which are replaced only once they are complete."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rnnshape.cli.actions import annotate, in_repository
from rnnshape.cli.options import OutputOptions
from rnnshape.cli.streams import disarmed, wants_colour, write_stdout
from rnnshape.document.model import Caption, Document, Section
from rnnshape.errors import RequestError, quoted
from rnnshape.files import require_apart, require_writable, write_files
from rnnshape.render import Format, format_of, render
from rnnshape.sources import values

_COLOURS: Final = ("auto", "always", "never")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to write where, checked before anything runs."""

    format: Format
    files: tuple[tuple[Path, Format], ...]
    show: frozenset[str]
    named: frozenset[str]  # the sections of `show` that were asked for by name
    detailed: frozenset[str]  # those and, with `all`, every section
    full: bool
    colour: bool
    caption: Caption | None  # of a table in LaTeX
    streams: bool  # to a terminal: predictions appear before the run

    @classmethod
    def of(
        cls, options: OutputOptions, *, sections: Sequence[str], default: Collection[str]
    ) -> Plan:
        """Read the output options. Raises RequestError for one that cannot be met."""
        name = values.one_of(options.format, "--format", [f.value for f in Format])
        colour = values.one_of(options.color, "--color", _COLOURS)
        terminal = sys.stdout.isatty()
        show = ",".join(options.show or ["default"])
        words = [_section(word, sections) for word in re.split(r"\s*[,+\s]\s*", show.strip())]
        named = frozenset(words) & frozenset(sections)
        files = _files(options.files or [])
        return cls(
            format=Format(name),
            files=files,
            show=_shown(words, sections, default),
            named=named,
            detailed=frozenset(sections) if "all" in words else named,
            full=options.full,
            colour=wants_colour(sys.stdout, colour),
            caption=_caption(options, {Format(name), *(output for _, output in files)}),
            streams=terminal and name == Format.TABLE.value,
        )

    @property
    def writes_data(self) -> bool:
        """Whether all that is known is written, whatever `--show` says."""
        return Format.JSON in {self.format, *(output for _, output in self.files)}

    def keep(self, read: Iterable[str | Path]) -> None:
        """Raise RequestError where `-o` would replace one of the files that the command reads."""
        if self.files:
            require_apart((path for path, _ in self.files), read, "-o")


class Delivery:
    """Writes one document: on a terminal predictions first, then the rest."""

    def __init__(self, plan: Plan, *, more: str = "") -> None:
        """`more` says what else there is, above what follows the run, only on a terminal."""
        self._plan = plan
        self._more = more
        self._shown = 0  # sections that are on the terminal already

    def begin(self, predicted: Callable[[], Document]) -> None:
        """Show the sections that no run can change, on a stdout that is a terminal.

        Elsewhere nothing is written before the run, so that a refused request writes nothing.
        """
        if not self._plan.streams:
            return
        sections = predicted().sections
        late = [n for n, section in enumerate(sections) if section.needs_run]
        early = sections[: late[0]] if late else sections
        write_stdout(_text(self._plan, early))
        self._shown = len(early)

    def finish(
        self,
        document: Document,
        *,
        on_stdout: Document | None = None,
        pictures: Sequence[tuple[Path, bytes]] = (),
    ) -> None:
        """Write every file, then what stdout still lacks.

        `on_stdout`, if given, goes there in place of `document`; `pictures` are files that are
        rendered already.
        """
        document = replace(document, caption=self._plan.caption)
        texts = [(path, render(document, output).encode()) for path, output in self._plan.files]
        put_back = write_files([*texts, *pictures], "-o")
        try:
            self._write(on_stdout or document)
        except BrokenPipeError:  # who reads stdout needs no more of it; the files are wanted
            raise
        except OSError:
            put_back()
            raise

    def _write(self, document: Document) -> None:
        if self._plan.format is Format.GITHUB:
            document = in_repository(document)
        else:
            annotate(document)
        if self._plan.format is not Format.TABLE:
            marked_up = self._plan.format in (Format.HTML, Format.SVG, Format.JUNIT)
            escape = "xmlcharrefreplace" if marked_up else "backslashreplace"
            text = render(document, self._plan.format)
            write_stdout(_disarmed_in(self._plan.format, text), escape=escape)
            return
        rest = document.sections[self._shown :]
        between = "\n" if self._shown and rest else ""
        if self._more and self._plan.streams:
            between += f"{_more(self._plan, self._more)}\n"
        write_stdout(between + _text(self._plan, rest))

    def refuse(self, refusal: Document) -> None:
        """Write a refused request to files of JUnit's, and to stdout if it is to get JUnit's XML.

        Whoever reads only those finds the errors there.
        """
        junit = render(refusal, Format.JUNIT)
        files = [path for path, format_ in self._plan.files if format_ is Format.JUNIT]
        write_files([(path, junit.encode()) for path in files], "-o")
        if self._plan.format is Format.JUNIT:
            write_stdout(_disarmed_in(Format.JUNIT, junit))


def _disarmed_in(output: Format, text: str) -> str:
    """The text made safe for GitHub's runner, as the same names where the format can write them."""
    match output:
        case Format.JSON:
            return text.replace("##[", r"#\u0023[")
        case Format.HTML | Format.SVG | Format.JUNIT:
            return text.replace("##[", "#&#35;[")
        case Format.GITHUB:
            return text  # its commands are ours
        case _:
            return disarmed(text)


def _caption(options: OutputOptions, formats: Collection[Format]) -> Caption | None:
    """The caption, if there is one. Raises RequestError where nothing shows it."""
    if options.caption is None and options.label is None:
        return None
    if Format.LATEX not in formats:
        alone = options.caption is None
        option = "--label" if alone else "--caption"
        raise RequestError(
            f"{option} is for LaTeX, but nothing is written as LaTeX",
            hint=f"add -f latex{' and --caption' * alone}, or leave {option} out",
        )
    from rnnshape.render.latex import captioned

    return captioned(options.caption, options.label, names=("--caption", "--label"))


def _text(plan: Plan, sections: Sequence[Section]) -> str:
    from rnnshape.render.terminal import render_sections

    width = shutil.get_terminal_size().columns if plan.streams else None
    return disarmed(render_sections(sections, width=width, colour=plan.colour))


def _more(plan: Plan, text: str) -> str:
    from rnnshape.render.terminal import dimmed

    width = shutil.get_terminal_size().columns
    return dimmed(text, colour=plan.colour, width=width)


def _section(word: str, sections: Sequence[str]) -> str:
    return values.one_of(word, "--show", ["default", "all", *sections])


def _shown(
    words: Sequence[str], sections: Sequence[str], default: Collection[str]
) -> frozenset[str]:
    shown: set[str] = set()
    for name in words:
        shown |= {"default": set(default), "all": set(sections)}.get(name, {name})
    return frozenset(shown)


def _files(names: Sequence[str]) -> tuple[tuple[Path, Format], ...]:
    files = [(Path(name), format_of(name, "-o")) for name in names]
    seen: set[Path] = set()
    for path, _ in files:
        real = require_writable(path, "-o")
        if real in seen:
            raise RequestError(f"-o {quoted(str(path))} is given twice", hint="give each file once")
        seen.add(real)
    return tuple(files)


def picture_file(name: str, option: str) -> Path:
    """The file of a picture, known to be writable. Raises RequestError for another suffix."""
    from rnnshape.render.chart import PICTURES

    if Path(name).suffix.lower() not in PICTURES:
        raise RequestError(
            f"{option} {quoted(name)} has no suffix that names a picture",
            hint=f"one of {', '.join(PICTURES)}",
        )
    path = Path(name)
    require_writable(path, option)
    return path
