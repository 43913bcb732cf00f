r"""LaTeX: a fragment for \input, with booktabs tables; names, formulas and shapes in \texttt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from unicodedata import normalize

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Diagram,
    Document,
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
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import aligned, cell_text, legend, pieces
from rnnshape.render.diagram import diagram_lines

# Letters of \texttt that fit into a line of an article; each is half as wide as an em of the text.
_LINE: Final = 80
_NARROWEST_CALL: Final = 20
_GAP: Final = 2  # between columns: twice \tabcolsep

# Ragged, since names in \texttt are not hyphenated.
_BEGIN: Final = r"""
% A fragment: \usepackage[T1]{fontenc} and \usepackage{booktabs} in the preamble, LaTeX of 2020 on.
\begingroup
\footnotesize\raggedright\setlength{\parindent}{0pt}\setlength{\parskip}{\medskipamount}
\setlength{\tabcolsep}{4pt}
""".lstrip()
_END: Final = "\\par\\endgroup\n"

_ESCAPES: Final = {
    **{mark: f"\\{mark}" for mark in "_%&#${}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\symbol{34}",  # some languages of babel make it a command
    "\N{LATIN SMALL LETTER SHARP S}": r"\ss{}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"\o{}",
    "\N{LATIN CAPITAL LETTER O WITH STROKE}": r"\O{}",
    "\N{LATIN SMALL LETTER AE}": r"\ae{}",
    "\N{LATIN CAPITAL LETTER AE}": r"\AE{}",
}
# The accents that Unicode puts behind a letter, and LaTeX's commands for them, which go before it.
_ACCENTS: Final = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
    "\u0328": "k",
}
# TeX makes one letter of two of these in a row.
_LIGATURES: Final = re.compile(r"([-,'])(?=\1)")


def render_latex(document: Document) -> str:
    """The blocks with a blank line between two, in a group, so that nothing after them changes."""
    return _BEGIN + "\n".join(map(_section, document.sections)) + _END


def _section(section: Section) -> str:
    """The key as a comment for whoever edits the text, then the blocks, each a paragraph."""
    blocks = "\n".join(f"{_written(block)}\n" for block in section.blocks)
    return f"% {section.key}\n{blocks}"


def _written(block: Block) -> str:
    match block:
        case Table():
            return "\n".join(_table(block))
        case Legend(symbols):
            return ", ".join(map(_inline, legend(symbols, starred=False))) + "."
        case Paragraph(text):
            return _inline(text)
        case Listing(items):
            return "\n".join(_listing(items))
        case Picture(lines):
            return _verbatim(map(printable, lines))
        case Diagram():
            return _verbatim(diagram_lines(block))
        case Heading(text):
            return rf"\textbf{{{_cell(text)}}}"
        case Note(text):
            return rf"\textbf{{Note:}} {_inline(text)}"
        case Verdict():
            return _verdict(block)


def _verdict(verdict: Verdict) -> str:
    word = rf"\textbf{{{verdict.word.strip()}}} " if verdict.word else ""
    text = f"{_inline(verdict.about)}: {word}{_inline(verdict.text)}"
    return f"{text}; {_inline(verdict.reason)}" if verdict.reason else text


def _table(table: Table) -> Iterator[str]:
    titles = _row([column.title for column in table.columns])
    rows = [_row(row, strong=table.is_total(number)) for number, row in enumerate(table.rows)]
    end = r"\\"
    sides = ["r" if column.numeric else "l" for column in table.columns]
    if (broken := _broken_calls(table)) is not None:
        number, letters = broken
        sides[number] = f"p{{{letters / 2:g}em}}"
        end = r"\tabularnewline"  # after \raggedright, \\ would end a line within the cell
        for row in rows:
            row[number] = rf"\raggedright {row[number]}"
    head, *body = (
        f"{' & '.join(cells)} {end}" for cells in aligned(table.columns, [titles, *rows])
    )
    yield rf"\begin{{tabular}}{{@{{}}{''.join(sides)}@{{}}}}"
    yield from (r"\toprule", head, r"\midrule")
    for number, line in enumerate(body):
        if table.is_total(number):
            yield r"\midrule"
        elif number in table.breaks:
            yield r"\addlinespace"
        yield line
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _broken_calls(table: Table) -> tuple[int, int] | None:
    """The number of the column of calls and the letters it has room for, if that is too few."""
    cells = [[column.title for column in table.columns], *table.rows]
    widths = [max(len(cell_text(cell)) for cell in column) for column in zip(*cells, strict=True)]
    excess = sum(widths) + _GAP * (len(widths) - 1) - _LINE
    for number, column in enumerate(table.columns):
        if column.calls and excess > 0:
            return number, max(widths[number] - excess, _NARROWEST_CALL)
    return None


def _row(cells: Sequence[Cell], *, strong: bool = False) -> list[str]:
    first, *rest = (_cell(cell, strong=strong) for cell in cells)
    return [_begun(first), *rest]


def _listing(items: Iterable[tuple[Code | str, Inline]]) -> Iterator[str]:
    yield r"\begin{itemize}"
    for name, text in items:
        yield rf"\item {_begun(_cell(name))}: {_inline(text)}"
    yield r"\end{itemize}"


def _begun(text: str) -> str:
    r"""The text after \\ or \item, which would read a bracket or a star as an argument."""
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _verbatim(lines: Iterable[str]) -> str:
    r"""The lines as they are, but for what would end them: TeX looks for exactly \end{verbatim}."""
    kept = (_ascii(line).replace(r"\end{verbatim}", r"\end {verbatim}") for line in lines)
    return "\n".join([r"\begin{verbatim}", *kept, r"\end{verbatim}"])


def _inline(text: Inline) -> str:
    return "".join(map(_cell, pieces(text)))


def _cell(cell: Cell, *, strong: bool = False) -> str:
    text = _text(cell_text(cell))
    if not text:
        return ""
    written = rf"\texttt{{{text}}}" if isinstance(cell, (Code, Formula, Shape)) else text
    return rf"\textbf{{{written}}}" if strong else written


def _text(text: str) -> str:
    """The text escaped, in ASCII alone: TeX engines differ in how they read other letters."""
    single = re.sub(" +", " ", printable(text))
    return _LIGATURES.sub(r"\1{}", "".join(map(_letter, normalize("NFC", single))))


def _letter(letter: str) -> str:
    """A letter as TeX writes it, with its accent, or as Python does if TeX's fonts lack it."""
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    base, *accents = list(normalize("NFD", letter))
    if len(accents) == 1 and base.isascii() and accents[0] in _ACCENTS:
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return _ascii(letter).replace("\\", _ESCAPES["\\"])


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
