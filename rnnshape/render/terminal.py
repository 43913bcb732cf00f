"""Text for a terminal, a pipe or a file: ASCII tables as wide as they need, in colour if wanted.

Where a table is wider than the terminal, titles are shortened and its least needed columns are left
out, and where the others are too wide as well, each cell gets a line. A name or a number is never
cut. In a pipe every column stays, and each row is one line; prose is broken at 80 characters. With
colour there is also a rule under the head of each table.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, groupby, zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from rnnshape.document.model import (
    Axes,
    Block,
    Cell,
    Code,
    Column,
    Diagram,
    Document,
    Equations,
    Formula,
    Heading,
    Inline,
    Legend,
    Listing,
    Mark,
    Note,
    Paragraph,
    Picture,
    Section,
    Shape,
    Status,
    Steps,
    Symbol,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text, line_text, pieces, symbol_texts
from rnnshape.render.diagram import diagram_lines

if TYPE_CHECKING:
    from rich.text import Text

# Prose is never wider than this, even where there is more room; tables may be.
_PROSE_WIDTH: Final = 80
_UNLIMITED: Final = 1_000_000
_INDENT: Final = 2
_GAP: Final = 2
_LISTING_GAP: Final = 3
# Calls are not broken into shorter lines than this to make room for another column: a line for each
# argument is harder to read than the column is worth.
_NARROWEST_CALL: Final = 20
# Takes the place of a blank within code, where no line may break.
_UNBROKEN: Final = "\N{NO-BREAK SPACE}"

Style: TypeAlias = str  # names of _ESCAPES with blanks between them: "bold batch"
Span: TypeAlias = tuple[str, Style]
StyledLine: TypeAlias = list[Span]
_Placed: TypeAlias = tuple[int, int, bool]  # a column: its number, its width, whether it is numeric

# The axes have colours of the 256 that can be read on black and on white.
_AXES: Final = {"seq": 30, "batch": 166, "feature": 99, "layer": 162}
_ESCAPES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"} | {
    name: f"38;5;{number}" for name, number in _AXES.items()
}
_VERDICT_STYLES: Final[dict[Status, Style]] = {
    "ok": "green",
    "mismatch": "red",
    "failed": "red",
    "refused": "red",
    "skipped": "",
}


def render_table(document: Document) -> str:
    """The document for a file or a pipe, without colour."""
    return render_sections(document.sections)


def render_sections(
    sections: Iterable[Section], *, width: int | None = None, colour: bool = False
) -> str:
    """The sections as text with blank lines between them; `width` is the terminal's, if any."""
    lines = _lines(sections, width, ruled=colour, styled=colour)
    if not colour:
        return "".join(f"{_plain(line)}\n" for line in lines)
    return "".join(f"{''.join(map(_escaped, _finished(line)))}\n" for line in lines)


def _escaped(span: Span) -> str:
    letters, style = span
    codes = ";".join(_ESCAPES[name] for name in style.split())
    return f"\x1b[{codes}m{letters}\x1b[0m" if codes else letters


def dimmed(text: str, *, colour: bool, width: int) -> str:
    """A list that matters less than the rest, broken after commas, dim where there is colour."""
    lines = _filled(re.split("(?<=,)", text), "", width, indent=" " * _INDENT)
    return "\n".join(_escaped((line, "dim" * colour)) for line in lines)


def rich_text(sections: Iterable[Section], *, width: int, colour: bool) -> Text:
    """The sections for a rich console of this width, with or without colour."""
    from rich.text import Text  # the command line writes without rich, and starts faster

    text = Text("\n").join(
        Text.assemble(*((letters, _in_rich(style)) for letters, style in line))
        for line in styled_lines(sections, width=width, ruled=colour)
    )
    text.no_wrap, text.overflow = True, "ignore"  # the lines are as narrow as they can be
    return text


def _in_rich(style: Style) -> str:
    return " ".join(f"color({_AXES[name]})" if name in _AXES else name for name in style.split())


def styled_lines(
    sections: Iterable[Section], *, width: int | None = None, ruled: bool = False
) -> Iterator[StyledLine]:
    """The sections as lines without blanks at their ends; `ruled` has a rule under each head."""
    return map(_finished, _lines(sections, width, ruled=ruled, styled=True))


def _lines(
    sections: Iterable[Section], width: int | None, *, ruled: bool, styled: bool
) -> Iterator[StyledLine]:
    layout = _Layout(width or _UNLIMITED, ruled=ruled, styled=styled)
    for number, section in enumerate(sections):
        if number:
            yield []
        yield from layout.section(section)


def _plain(line: StyledLine) -> str:
    """The letters of the line without blanks at its end."""
    return "".join(map(itemgetter(0), line)).replace(_UNBROKEN, " ").rstrip(" ")


def _finished(line: StyledLine) -> StyledLine:
    """The line without blanks at its end, with one span where neighbours have one style."""
    spans = [
        ("".join(map(itemgetter(0), alike)).replace(_UNBROKEN, " "), style)
        for style, alike in groupby(filter(itemgetter(0), line), key=itemgetter(1))
    ]
    while spans:
        letters, style = spans.pop()
        if letters := letters.rstrip(" "):
            return [*spans, (letters, style)]
    return spans


class _Layout:
    """The lines of blocks at one width; the cells of tables have styles only if `styled`."""

    def __init__(self, width: int, *, ruled: bool, styled: bool) -> None:
        self._width = width
        self._styled = styled
        # What a table should not be wider than, though in a pipe it keeps all its columns.
        self._limit = _PROSE_WIDTH if width == _UNLIMITED else width
        self._ruled = ruled
        self._prose_width = min(width, _PROSE_WIDTH)
        self._left_out: frozenset[str] = frozenset()  # keys of columns of the latest table

    def section(self, section: Section) -> Iterator[StyledLine]:
        title = section.key if section.titled else ""
        for block in section.blocks:
            if title and not isinstance(block, Table):
                yield [(title, "bold")]
            yield from self._block(block, title)
            title = ""

    def _block(self, block: Block, title: str) -> Iterable[StyledLine]:
        match block:
            case Table():
                return self._table(block, title)
            case Legend(symbols):
                return _legend(symbols, self._prose_width)
            case Paragraph(text, column, short):
                if column in self._left_out:
                    return self._wrapped(self._inline(short)) if any(short) else ()
                return self._wrapped(self._inline(text))
            case Listing(items):
                return self._listing(items)
            case Steps():
                return self._steps(block)
            case Picture(lines, narrow):
                if narrow and max(map(len, lines)) > self._width:
                    lines = narrow
                return _unstyled(map(printable, lines))
            case Equations(lines):
                broken = (_summands(printable(line), self._width) for line in lines)
                return _unstyled(chain.from_iterable(broken))
            case Diagram():
                return _unstyled(diagram_lines(block, self._prose_width))
            case Heading(text, totals):
                gap = " " * _LISTING_GAP if totals else ""
                line = [(cell_text(text), "bold"), (gap, ""), *self._inline(totals)]
                return self._wrapped(line, indent=_INDENT)
            case Note(text):
                note: Span = ("note: ", "yellow")
                return self._wrapped(
                    [note, *self._inline(text, len("note: "))], indent=len("note: ")
                )
            case Verdict():
                return self._verdict(block)

    def _verdict(self, verdict: Verdict) -> Iterator[StyledLine]:
        """The verdict, after its place if it has one, which many terminals make a link."""
        style, text = _VERDICT_STYLES[verdict.status], self._inline(verdict.text, _INDENT)
        if verdict.place is None:
            yield from self._wrapped([(verdict.word, style), *text], indent=len("ok: "))
        else:  # in a pipe on one line, so that a search for the place finds all of it
            about = printable(f"{verdict.place}: {verdict.subject.text}: ")
            line = [(about, ""), (verdict.word, style), *text]
            yield from self._wrapped(line, indent=_INDENT, width=self._width)
        if verdict.reason:
            reason = self._inline(verdict.reason, _INDENT)
            yield from self._wrapped(reason, first=_INDENT, indent=_INDENT)

    def _table(self, table: Table, title: str) -> Iterator[StyledLine]:
        table = self._without_spare(table, title)
        texts = [[cell_text(cell) for cell in row] for row in table.rows]
        heads = self._heads(table.columns, title, texts)
        columns, rows = self._fitted(table.columns, heads, texts)
        kept = {table.columns[number].key for number, _, _ in columns}
        self._left_out = frozenset(column.key for column in table.columns) - kept
        if len(columns) > 1 and _total([width for _, width, _ in columns]) > self._width:
            yield from self._stacked(table, title, [number for number, _, _ in columns])
            return
        if any(heads[number] for number, _, _ in columns):
            yield _table_line(columns, heads, [[(head, "bold")] for head in heads])
            if self._ruled:
                yield [("-" * _total([width for _, width, _ in columns]), "dim")]
        for number, (row, lines) in enumerate(zip(table.rows, rows, strict=True)):
            if number in table.breaks:
                yield []
            if not self._styled:
                yield from ([(_aligned(columns, cells), "")] for cells in lines)
                continue
            base = "bold" if table.is_total(number) else ""
            whole = list(map(partial(_spans, base=base), row, texts[number]))
            if len(lines) == 1:
                yield _table_line(columns, lines[0], whole)
                continue
            for cells in lines:
                yield _table_line(columns, cells, list(map(_part, whole, cells)))

    def _without_spare(self, table: Table, title: str) -> Table:
        """The table without those spare columns that there is no room for."""
        spare = [number for number, column in enumerate(table.columns) if column.spare]
        if not spare or self._width == _UNLIMITED:
            return table
        texts = [[cell_text(cell) for cell in row] for row in table.rows]
        heads = [printable(column.short or column.title) for column in table.columns]
        heads[0] = title or heads[0]
        widths, kept = _widths(heads, texts), [*range(len(heads))]
        while spare and _total([widths[number] for number in kept]) > self._width:
            kept.remove(spare.pop())
        return replace(
            table,
            columns=tuple(table.columns[number] for number in kept),
            rows=tuple(tuple(row[number] for number in kept) for row in table.rows),
        )

    def _heads(
        self, columns: Sequence[Column], title: str, texts: Sequence[Sequence[str]]
    ) -> list[str]:
        """What stands above the columns: `title` above the first, if there is one."""
        heads = [printable(column.title) if column.headed else "" for column in columns]
        heads[0] = title or heads[0]
        if _total(_widths(heads, texts)) <= self._limit:
            return heads
        return [column.short or head for column, head in zip(columns, heads, strict=True)]

    def _stacked(self, table: Table, title: str, kept: Sequence[int]) -> Iterator[StyledLine]:
        """A line for each cell that stays, those of a row below its first."""
        if title:
            yield [(title, "bold")]
        first, *others = kept
        names = [printable(column.title) for column in table.columns]
        margin = max(len(names[number]) for number in others) + _GAP
        for number, row in enumerate(table.rows):
            if number in table.breaks:
                yield []
            yield from self._wrapped(self._cell(row[first]), indent=2 * _INDENT)
            for other in others:
                if row[other] is not None:
                    label, below = f"{names[other]:{margin}}", 2 * _INDENT
                    line = [(label, ""), *self._cell(row[other], below)]
                    yield from self._wrapped(line, first=_INDENT, indent=below)

    def _fitted(
        self, columns: Sequence[Column], heads: list[str], texts: list[list[str]]
    ) -> tuple[list[_Placed], list[list[Sequence[str]]]]:
        """The columns that there is room for, and the lines of each row.

        A row has several lines where its call is too long.
        """
        widths = _widths(heads, texts)
        rows: list[list[Sequence[str]]] = [[cells] for cells in texts]
        broken = None
        if _total(widths) > self._width:
            broken = next((n for n, column in enumerate(columns) if column.calls), None)
        if broken is not None:
            calls = [heads[broken], *(cells[broken] for cells in texts)]
            widths[broken] = min(widths[broken], max(_NARROWEST_CALL, _widest(calls, 0)))
        kept = _columns_that_fit(columns, widths, self._width)
        if broken is not None and broken in kept:
            room = max(self._width - _total([widths[n] for n in kept]), 0) + widths[broken]
            rows = [_row_lines(cells, broken, room) for cells in texts]
            widths[broken] = _widest(calls, room)
        return [(n, widths[n], columns[n].numeric) for n in kept], rows

    def _listing(self, items: Sequence[tuple[Code | str, Inline]]) -> Iterator[StyledLine]:
        """Names beside their meanings, or above them where one line has no room for both."""
        names = [cell_text(name) for name, _ in items]
        meanings = [self._inline(text, _LISTING_GAP) for _, text in items]
        column = max(map(len, names)) + _LISTING_GAP
        beside = column + max(map(_length, meanings)) <= self._prose_width
        for (item, _), name, meaning in zip(items, names, meanings, strict=True):
            label = isinstance(item, str)
            aligned = beside or (label and 2 * column <= self._prose_width)
            indent = column if aligned else _LISTING_GAP
            begun = f"{name}{' ' * _LISTING_GAP}".ljust(indent)
            if len(begun) + _length(meaning) <= self._prose_width:
                yield [(begun, ""), *meaning]
            elif label:
                # A line may begin with an operator, but not end in one.
                kept = [(re.sub(" ([+=]) ", rf" \1{_UNBROKEN}", s), style) for s, style in meaning]
                yield from self._wrapped([(begun, ""), *kept], indent=indent)
            else:
                yield from self._wrapped(
                    self._inline((item,), 2 * _LISTING_GAP), indent=2 * _LISTING_GAP
                )
                yield from self._wrapped(meaning, first=_LISTING_GAP, indent=_LISTING_GAP)

    def _steps(self, steps: Steps) -> Iterator[StyledLine]:
        """Each text with its number before it, and below it its lines of code, never broken."""
        for number, (text, code) in zip(steps.numbers, steps.items, strict=True):
            begun: StyledLine = [(number, ""), *self._inline(text, _INDENT)]
            yield from self._wrapped(begun, indent=len(number))
            margin = " " * (len(number) + _INDENT)
            yield from ([(f"{margin}{printable(line)}", "bold")] for line in code)

    def _inline(self, text: Inline, indent: int = 0) -> StyledLine:
        """A sentence, to be broken at its blanks, except within code or a shape that fits."""
        line: StyledLine = []
        for piece in pieces(text):
            joined = isinstance(piece, (Code, Shape))
            line += self._cell(piece, indent) if joined else _spans(piece, cell_text(piece))
        return line

    def _cell(self, cell: Cell, indent: int = 0) -> StyledLine:
        """A cell in its styles, with blanks that break no line where it fits."""
        line, start = _spans(cell, cell_text(cell)), 0
        joined = _joined("".join(letters for letters, _ in line), self._width - indent)
        parts: StyledLine = []
        for letters, style in line:
            parts.append((joined[start : start + len(letters)], style))
            start += len(letters)
        return parts

    def _wrapped(
        self, line: StyledLine, *, first: int = 0, indent: int = 0, width: int | None = None
    ) -> Iterator[StyledLine]:
        """Prose broken between words; a word that is too long stays whole.

        The first line is indented by `first` blanks, the others by `indent`.
        """
        text = "".join(letters for letters, _ in line)
        wrapped = textwrap.wrap(
            text,
            width or self._prose_width,
            initial_indent=" " * first,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        start, margin = 0, first
        for words in map(str.strip, wrapped or [""]):
            start = text.index(words, start)
            yield [(" " * margin, ""), *_cut(line, start, start + len(words))]
            start, margin = start + len(words), indent


def _aligned(columns: Sequence[_Placed], texts: Sequence[str]) -> str:
    """The cells side by side, without styles."""
    padded = [
        texts[number].rjust(width) if numeric else texts[number].ljust(width)
        for number, width, numeric in columns
    ]
    return (" " * _GAP).join(padded)


def _table_line(
    columns: Sequence[_Placed], texts: Sequence[str], cells: Sequence[StyledLine]
) -> StyledLine:
    """The cells, each of which has the letters of its text, side by side."""
    line: StyledLine = []
    for number, width, numeric in columns:
        cell = cells[number]
        rest, gap = " " * (width - len(texts[number])), " " * _GAP
        line += [(rest, ""), *cell, (gap, "")] if numeric else [*cell, (rest + gap, "")]
    return line


def _spans(cell: Cell, text: str, base: Style = "") -> StyledLine:
    """A cell of this text in its styles: sizes and names of axes each in that of the axis."""
    match cell:
        case str() | int() | None:
            return [(text, base)]
        case Formula():
            return [(text, "dim")]
        case Axes(names):
            words: StyledLine = []
            for place, name in enumerate(names):
                words += [(", " * bool(place), ""), (name, _axis(name))]
            return words
        case Shape(sizes, axes) if axes:
            line: StyledLine = [("(", "bold")]
            for place, (size, name) in enumerate(zip(sizes, axes, strict=True)):
                line += [(", " * bool(place), "bold"), (str(size), f"bold {_axis(name)}".strip())]
            return [*line, (",)" if len(sizes) == 1 else ")", "bold")]
        case Shape():
            return [(text, "bold")]
        case Mark(status):
            return [(text, _VERDICT_STYLES[status])]
        case _:
            return [(text, base)]


def _axis(name: str) -> Style:
    """The style of an axis: its name, or `layer` for `layer*dir`; nothing for a step of a row."""
    style = name.partition("*")[0]
    return style if style in _AXES else ""


def _part(whole: StyledLine, letters: str) -> StyledLine:
    """The spans of a cell, or one of the lines that its text is broken into."""
    is_whole = letters == "".join(map(itemgetter(0), whole))
    return whole if is_whole else [(letters, whole[0][1])]


def _widths(heads: Sequence[str], texts: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(heads, *texts, strict=True)]


def _columns_that_fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """The numbers of the columns that stay when the least needed are left out to make room."""
    kept = set(range(len(columns)))
    for number in sorted(kept, key=lambda n: (columns[n].rank, n), reverse=True):
        if columns[number].rank and _total([widths[n] for n in kept]) > room:
            kept.remove(number)
    return sorted(kept)


def _total(widths: Sequence[int]) -> int:
    """The width of a table with columns of these widths."""
    return sum(widths) + _GAP * (len(widths) - 1)


def _row_lines(cells: Sequence[str], number: int, room: int) -> list[Sequence[str]]:
    """The lines of a row, in which the cell with this number is a call to be broken."""
    columns = [_broken(cell, room) if n == number else [cell] for n, cell in enumerate(cells)]
    return list(zip_longest(*columns, fillvalue=""))


def _widest(calls: Iterable[str], room: int) -> int:
    return max(len(line) for call in calls for line in _broken(call, room))


def _broken(call: str, room: int) -> list[str]:
    """A call, or a sum of some, on lines no longer than `room`, unless an argument is.

    A sum is broken after its plus signs, and a call only where it does not fit a line. All lines
    but the first are indented, those within a summand further.
    """
    terms = _filled(re.split(r"(?<=\+) ", call), " ", room, indent=" ")
    indent = " " if len(terms) == 1 else "  "
    broken = (_filled(re.split("(?<=,) ", term), " ", room, indent=indent) for term in terms)
    return [line for lines in broken for line in lines]


def _legend(symbols: Sequence[Symbol], width: int) -> Iterator[StyledLine]:
    """The symbols on as few lines as possible, each in the style of its axis."""
    line: StyledLine = []
    for symbol, text in zip(symbols, map(line_text, symbol_texts(symbols)), strict=True):
        if line and _length(line) + len(f", {text}") > width:
            yield line
            line = []
        line += [(", " * bool(line), ""), (text, _axis(symbol.axis))]
    yield line


def _filled(pieces: Iterable[str], between: str, width: int, indent: str = "") -> list[str]:
    """The pieces, never broken, on as few lines as possible; `between` joins those of a line."""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1] + between + piece) <= width:
            lines[-1] += between + piece
        else:
            lines.append(indent + piece if lines else piece)
    return lines


def _unstyled(lines: Iterable[str]) -> Iterator[StyledLine]:
    return ([(line, "")] for line in lines)


def _length(line: StyledLine) -> int:
    return sum(len(letters) for letters, _ in line)


def _cut(line: StyledLine, start: int, stop: int) -> Iterator[Span]:
    """The letters of the line from `start` up to `stop`, in their styles."""
    for letters, style in line:
        if part := letters[max(start, 0) : max(stop, 0)]:
            yield part, style
        start, stop = start - len(letters), stop - len(letters)


def _joined(code: str, room: int) -> str:
    """Code, broken only where it does not fit: before comparisons or after `+`, if that helps."""
    ways = ([code], re.split(" (?=[=!]= )", code), re.split(r"(?<=\+) ", code))
    parts = next((parts for parts in ways if max(map(len, parts)) <= room), None)
    return code if parts is None else " ".join(part.replace(" ", _UNBROKEN) for part in parts)


def _summands(equation: str, width: int) -> list[str]:
    """An equation, on several lines where it is too long for one, each of which begins with +."""
    if len(equation) <= width:
        return [equation]
    return _filled(re.split(r" (?=\+ )", equation), " ", width, indent="    ")
