"""Text for a terminal, a pipe or a file: ASCII tables at natural width, colour where asked for.

Where a table is wider than the terminal, its least needed column is left out; a name or a number
is never cut. Into a pipe no column is left out, and what may be broken is broken at 80 columns.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Diagram,
    Formula,
    Heading,
    Inline,
    Legend,
    Listing,
    Note,
    Paragraph,
    Picture,
    Section,
    Shape,
    Symbol,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text
from rnnshape.render.diagram import diagram_lines

# Prose is broken here even where there is more room; tables never are.
_PROSE_WIDTH = 80
_UNLIMITED = 1_000_000
_GAP = 2
_MARGIN = 2  # of the reason for a verdict
_LISTING_GAP = 3
_INDENT = 2
# The calls of a table are broken to make room for its other columns, but not below this: a line
# for each argument says less than the column that it makes room for.
_NARROWEST_CALL = 20
# Stands for a blank within code, where no line may break.
_UNBROKEN = "\N{NO-BREAK SPACE}"
# What ends a line and is not seen, in any order: a coloured cell may be empty.
_LINE_END = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)


def render_sections(
    sections: Iterable[Section], *, width: int | None = None, colour: bool = False
) -> str:
    """The sections as text with a blank line between two; `width` is the terminal's, if any."""
    room = width or _UNLIMITED
    return "\n".join(_Writer(room, colour=colour).section(section) for section in sections)


def rich_text(sections: Iterable[Section], *, width: int) -> Text:
    """The sections for a rich console of this width."""
    text = Text.from_ansi(render_sections(sections, width=width, colour=True))
    text.no_wrap, text.overflow = True, "ignore"  # they are as narrow as they can be
    return text


class _Writer:
    """Turns blocks into what rich prints, at one width."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self._width = width
        self._prose_width = min(width, _PROSE_WIDTH)
        self._colour = colour

    def section(self, section: Section) -> str:
        title = section.key if section.titled else None
        lines = io.StringIO()
        console = Console(
            file=lines,
            width=_UNLIMITED,
            color_system="standard" if self._colour else None,
            force_terminal=self._colour,
            no_color=not self._colour,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )
        for block in section.blocks:
            if title and not isinstance(block, Table):
                console.print(Text(title, style="bold"))
            for renderable in self._renderables(block, title):
                console.print(
                    renderable,
                    soft_wrap=isinstance(renderable, (Text, Segments)),
                    end="" if isinstance(renderable, Segments) else "\n",
                )
            title = None
        text = lines.getvalue().replace(_UNBROKEN, " ")
        return _LINE_END.sub(lambda end: end[0].replace(" ", ""), text)

    def _renderables(self, block: Block, title: str | None) -> Iterator[RenderableType]:
        match block:
            case Table():
                yield self._table(block, title)
            case Legend(symbols):
                yield _legend(symbols, self._prose_width)
            case Paragraph(text):
                yield self._wrapped(_inline(text))
            case Listing(items):
                yield from self._listing(items)
            case Picture(lines, narrow):
                if narrow and max(map(len, lines)) > self._width:
                    lines = narrow
                yield Text("\n".join(map(printable, lines)))
            case Diagram():
                yield Text("\n".join(diagram_lines(block, self._prose_width)))
            case Heading(text):
                yield self._wrapped(Text(cell_text(text), style="bold"), indent=_INDENT)
            case Note(text):
                yield self._wrapped(
                    Text.assemble(("note: ", "yellow"), _inline(text)), indent=len("note: ")
                )
            case Verdict():
                yield from self._verdict(block)

    def _verdict(self, verdict: Verdict) -> Iterator[Text]:
        """The verdict, behind the place that a terminal makes a link of if there is one."""
        prefix, style = _VERDICTS[verdict.status]
        text = _inline(verdict.text)
        if verdict.place is None:
            yield self._wrapped(Text.assemble((prefix, style), text))
        else:  # one line, for whoever searches for the place
            place = printable(f"{verdict.place}: {verdict.subject.text}: ")
            yield Text.assemble((place, style), text)
        if verdict.reason:
            reason = self._wrapped(_inline(verdict.reason), indent=_MARGIN, room=_MARGIN)
            yield Text.assemble(" " * _MARGIN, reason)

    def _table(self, table: Table, title: str | None) -> Segments:
        """Lines of cells: rich's own tables take a second for a thousand rows."""
        texts = [[cell_text(cell) for cell in row] for row in table.rows]
        heads = [printable(column.title) if column.headed else "" for column in table.columns]
        heads[0] = title or heads[0]
        columns, rows = self._fitted(table, heads, texts)
        kept = [(n, width, table.columns[n].numeric) for n, width in columns]
        segments: list[Segment] = []

        def line(cells: Sequence[str], styles: Sequence[Style | None]) -> None:
            blank = ""  # what comes before the next cell that is not empty
            for number, width, numeric in kept:
                cell = cells[number]
                rest = " " * (width - len(cell))
                if cell:
                    before = blank + rest if numeric else blank
                    segments.extend((Segment(before), Segment(cell, styles[number])))
                    blank = "" if numeric else rest
                else:
                    blank += rest
                blank += " " * _GAP
            segments.append(Segment.line())

        if any(heads[number] for number, _, _ in kept):
            line(heads, [_HEAD] * len(heads))
        for number, (row, lines) in enumerate(zip(table.rows, rows, strict=True)):
            if number in table.breaks:
                segments.append(Segment.line())
            styles = [_CELL_STYLES.get(type(cell)) for cell in row]
            for cells in lines:
                line(cells, styles)
        return Segments(segments)

    def _fitted(
        self, table: Table, heads: list[str], texts: list[list[str]]
    ) -> tuple[list[tuple[int, int]], list[list[list[str]]]]:
        """The columns that there is room for, with their widths, and the lines of each row.

        A row has several lines where its call is too long.
        """
        widths = _widths([heads, *texts])
        limit = _PROSE_WIDTH if self._width == _UNLIMITED else self._width
        call = next((n for n, column in enumerate(table.columns) if column.calls), None)
        if call is None or _total(widths) <= limit:
            fitting = _columns_that_fit(table.columns, widths, self._width)
            return [(n, widths[n]) for n in fitting], [[cells] for cells in texts]

        def rows(room: int) -> list[list[list[str]]]:
            return [_with_lines(cells, call, _broken(cells[call], room)) for cells in texts]

        def widths_of(rows: list[list[list[str]]]) -> list[int]:
            return _widths([heads, *(line for lines in rows for line in lines)])

        least = widths_of(rows(_NARROWEST_CALL))
        least[call] = min(widths[call], max(_NARROWEST_CALL, least[call]))
        fitting = _columns_that_fit(table.columns, least, self._width)
        others = sum(widths[n] + _GAP for n in fitting if n != call)
        broken = rows(max(limit - others, least[call]))
        widths = widths_of(broken)
        return [(n, widths[n]) for n in fitting], broken

    def _listing(
        self, items: Sequence[tuple[Code | Formula | str, Inline]]
    ) -> Iterator[RenderableType]:
        """Names beside their meanings, or below each other where they do not fit on one line."""
        names = [_cell(name) for name, _ in items]
        meanings = [_inline(text) for _, text in items]
        column = max(map(len, names)) + _LISTING_GAP
        if column + max(map(len, meanings)) <= self._prose_width:
            grid = RichTable.grid(padding=(0, _LISTING_GAP, 0, 0))
            grid.add_column(no_wrap=True)
            for name, meaning in zip(names, meanings, strict=True):
                grid.add_row(name, meaning)
            yield grid
            return
        for (item, _), name, meaning in zip(items, names, meanings, strict=True):
            gap = Text(" " * _LISTING_GAP)
            if isinstance(item, str):
                indent = column if 2 * column <= self._prose_width else _LISTING_GAP
                name.pad_right(max(0, indent - _LISTING_GAP - len(name)))
                # A line goes on with an operator rather than end in one.
                meaning.plain = re.sub(" ([+=]) ", rf" \1{_UNBROKEN}", meaning.plain)
                yield self._wrapped(name + gap + meaning, indent=indent)
            elif len(name) + _LISTING_GAP + len(meaning) <= self._prose_width:
                yield name + gap + meaning
            else:
                below = self._wrapped(meaning, indent=_LISTING_GAP, room=_LISTING_GAP)
                yield name
                yield gap + below

    def _wrapped(self, text: Text, indent: int = 0, room: int = 0) -> Text:
        """Prose broken between words; a word that is too long stays whole.

        All lines but the first are indented; the first leaves `room` for what stands before it.
        """
        plain = textwrap.wrap(
            text.plain,
            self._prose_width,
            initial_indent=" " * room,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines: list[Text] = []
        start = 0
        for line in plain:
            words = line.strip()
            start = text.plain.index(words, start)
            lines.append(Text(" " * (indent if lines else 0)) + text[start : start + len(words)])
            start += len(words)
        return Text("\n").join(lines)


_HEAD = Style(bold=True)
_CELL_STYLES = {Formula: Style(dim=True), Shape: Style(bold=True)}
_VERDICTS = {
    "ok": ("ok: ", "green"),
    "failed": ("MISMATCH: ", "red"),
    "unmet": ("FAILED: ", "red"),
    "open": ("", ""),
}


def _broken(call: str, room: int) -> list[str]:
    """A call on lines no longer than `room`, unless an argument is; those below are indented."""
    lines: list[str] = []
    for argument in re.split("(?<=,) ", call):
        if lines and len(lines[-1]) + 1 + len(argument) <= room:
            lines[-1] += f" {argument}"
        else:
            lines.append(f" {argument}" if lines else argument)
    return lines


def _with_lines(cells: list[str], number: int, lines: Sequence[str]) -> list[list[str]]:
    """The lines of a row in which the cell of one column has several."""
    first, *others = lines
    before, after = [""] * number, [""] * (len(cells) - number - 1)
    return [
        [*cells[:number], first, *cells[number + 1 :]],
        *([*before, other, *after] for other in others),
    ]


def _total(widths: Sequence[int]) -> int:
    """The width of a table with such columns."""
    return sum(widths) + _GAP * (len(widths) - 1)


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column is."""
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _columns_that_fit(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    kept = list(range(len(columns)))
    while _total([widths[n] for n in kept]) > width:
        least_needed = max(kept, key=lambda number: columns[number].rank)
        if not columns[least_needed].rank:
            break
        kept.remove(least_needed)
    return kept


def _legend(symbols: Sequence[Symbol], width: int) -> Text:
    pieces = [
        f"{'='.join(symbol.symbols)}={symbol.value}{'*' * symbol.assumed}"
        f" {printable(symbol.meaning)}".rstrip()
        for symbol in symbols
    ]
    key = "* default" if any(symbol.assumed for symbol in symbols) else ""
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(f"{lines[-1]}, {piece}") > width:
            lines.append("")
        lines[-1] += f", {piece}" if lines[-1] else piece
    if key and len(f"{lines[-1]}   {key}") <= width:
        lines[-1] += f"   {key}"
    elif key:
        lines.append(key)
    return Text("\n".join(lines))


def _inline(text: Inline) -> Text:
    return Text.assemble(*(_piece(piece) for piece in text))


def _piece(piece: str | int | Code | Formula | Shape) -> Text:
    if isinstance(piece, int):
        return Text(str(piece))
    # Within a sentence a formula is as important as the rest, and may be broken like it.
    text = _cell(piece, dim=False)
    if isinstance(piece, (str, Formula)):
        return text
    return Text(text.plain.replace(" ", _UNBROKEN), style=text.style)


def _cell(cell: Cell, *, dim: bool = True) -> Text:
    style = _CELL_STYLES.get(type(cell), "")
    return Text(cell_text(cell), style="" if isinstance(cell, Formula) and not dim else style)
