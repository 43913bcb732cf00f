"""`-f markdown`: GitHub's tables with code in them, for any request."""

from __future__ import annotations

import re
from math import prod

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rnnshape.document.model import (
    Code,
    Column,
    Document,
    Formula,
    Heading,
    Listing,
    Note,
    Paragraph,
    Section,
    Shape,
    Table,
    Times,
    Verdict,
)
from rnnshape.layer import weights
from rnnshape.render.markdown import render_markdown
from tests.program import call

REQUESTS = {
    "deep and bidirectional": ("lstm", "--hidden", "40", "--layers", "4", "--bidir"),
    "gru": ("gru",),
    "projection": ("lstm", "--proj", "35"),
    "relu, unbatched": ("rnn", "--nonlinearity", "relu", "--unbatched"),
    "every weight": ("lstm", "--layers", "3", "--bidir", "--full"),
    "input shape": ("gru", "--input-shape", "5,10,20", "--dropout", "0.5"),
    "huge": ("gru", "--hidden", "9" * 100),
}
EACH_REQUEST = pytest.mark.parametrize("words", REQUESTS.values(), ids=REQUESTS)


_ENDS = ("open", "close")
_PLAIN_CELLS = (
    *("total", "seq, batch, feature", "seq, feature"),
    *("layer*dir, batch, feature", "layer*dir, feature"),
)


def written(*words: str) -> str:
    result = call(*words, "--no-run", "--show", "all", "-f", "markdown")
    assert (result.code, result.err) == (0, "")
    return result.out


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def tables(text: str) -> list[list[list[Token]]]:
    """The rows of each table, each cell as its inline token."""
    found: list[list[list[Token]]] = []
    inside = False
    for token in parsed(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open", "th_close", "td_close"):
            inside = token.nesting == 1
        elif token.type == "inline" and inside:
            found[-1][-1].append(token)
    return found


def code_spans(text: str) -> list[str]:
    return [
        child.content
        for token in parsed(text)
        for child in token.children or []
        if child.type == "code_inline"
    ]


def plain(token: Token) -> str:
    """What a reader sees of a cell."""
    return "".join(child.content for child in token.children or [])


@EACH_REQUEST
def test_every_table_is_one_to_a_parser(words: tuple[str, ...]) -> None:
    text = written(*words)
    starts = len(re.findall(r"^\|[ -]*-[-:| ]*\|$", text, re.MULTILINE))
    found = tables(text)
    # shapes, weights, gates, layouts, compare, the two of cost, frameworks
    columns = [4, 4 if "--full" in words else 5, 7, 3, 5, 3, 4, 5]
    assert len(found) == starts == len(columns)
    assert [len(table[0]) for table in found] == columns
    for table in found:
        assert len({len(row) for row in table}) == 1


@EACH_REQUEST
def test_every_line_with_bars_is_in_a_table(words: tuple[str, ...]) -> None:
    text = written(*words)
    fenced = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    bars = [line for line in fenced.splitlines() if "|" in line]
    assert len(bars) == sum(len(table) + 1 for table in tables(text))
    assert all(line.startswith(("| ", "|-")) for line in bars)


@EACH_REQUEST
def test_the_columns_are_aligned_as_text_too(words: tuple[str, ...]) -> None:
    for block in written(*words).split("\n\n"):
        if block.startswith("|"):
            places = {
                tuple(n for n, letter in enumerate(line) if letter == "|")
                for line in block.splitlines()
            }
            assert len(places) == 1


@EACH_REQUEST
def test_numbers_are_aligned_right_and_words_left(words: tuple[str, ...]) -> None:
    styles = {
        str(token.attrs.get("style", "text-align:left"))
        for token in parsed(written(*words))
        if token.type == "td_open"
    }
    assert styles == {"text-align:left", "text-align:right"}


@EACH_REQUEST
def test_nothing_but_code_strength_and_lists_is_marked(words: tuple[str, ...]) -> None:
    types = {child.type for token in parsed(written(*words)) for child in token.children or []} | {
        token.type for token in parsed(written(*words))
    }
    assert types <= {
        *("inline", "text", "code_inline", "strong_open", "strong_close", "softbreak"),
        *("paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close"),
        *("list_item_open", "list_item_close", "text_special", "fence"),
        *(f"{tag}_{end}" for tag in ("table", "thead", "tbody", "tr", "th", "td") for end in _ENDS),
    }


@EACH_REQUEST
def test_every_weight_formula_and_shape_is_code(words: tuple[str, ...]) -> None:
    config, shapes, weights, *_ = (written(*words).split("\n\n")[0], *tables(written(*words)))
    assert code_spans(config)[0].startswith("nn.")
    for table in (shapes, weights):
        for row in table[1:]:
            for cell in (row[0], row[1], row[-1]):
                kinds = [child.type for child in cell.children or [] if child.content]
                assert kinds in ([], ["code_inline"]) or plain(cell) in _PLAIN_CELLS


@EACH_REQUEST
def test_the_tables_say_what_the_terminal_says(words: tuple[str, ...]) -> None:
    table = call(*words, "--no-run", "--show", "all").out
    for rows in tables(written(*words)):
        for row in rows[1:]:
            cells = [re.escape(plain(cell)) for cell in row if plain(cell)]
            line = r" +".join(cell.replace(r"\ ", " +") for cell in cells)
            assert re.search(line, table) or cells[0].startswith(("input", "output", "h_n", "c_n"))


@EACH_REQUEST
def test_it_is_ascii_and_ends_with_one_newline(words: tuple[str, ...]) -> None:
    text = written(*words)
    assert text.isascii()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert "\x1b" not in call(*words, "--no-run", "-f", "markdown", "--color", "always").out


def test_the_totals_are_strong() -> None:
    *_, total = tables(written("gru"))[1]
    kinds = [child.type for child in total[0].children or [] if child.type != "text_special"]
    assert plain(total[0]) == "total"
    assert "strong_open" in kinds
    assert [plain(cell) for cell in total] == ["total", "", "4", "7,440", "3 = gates r z n"]


def test_the_verdict_is_kept_with_the_request_that_it_is_about() -> None:
    words = ("lstm", "--hidden", "40", "--layers", "4", "--bidir")
    run = call(*words, "-f", "markdown").out.splitlines()[-1]
    assert run.startswith("`rnnshape lstm --hidden 40 --layers 4 --bidir`: ok: torch 2.")
    assert written(*words).splitlines()[-1] == (
        "`rnnshape lstm --hidden 40 --layers 4 --bidir`: not run: `output` `(10, 5, 80)`, `h_n` and"
        " `c_n` `(8, 5, 40)`, 136,960 parameters by formula alone"
    )


@pytest.mark.parametrize(
    "words",
    [
        "lstm --input 6 --hidden 8 --layers 2 --bidir --proj 4 --no-bias --dropout 0.5",
        "lstm --hidden 8 --batch-first --batch 3 --seq 7 --with-state",
        "rnn --nonlinearity relu --unbatched --dtype float64",
        "gru --hidden 8 --device meta",
        "gru --batch 0",
    ],
)
def test_the_request_of_the_verdict_is_the_one_that_was_made(words: str) -> None:
    last = written(*words.split()).splitlines()[-1]
    assert last.startswith(f"`rnnshape {words}`: not run: `output`")


# What a name in a checkpoint could hold.
HOSTILE = [
    *("a|b", "a`b", "``", "`", "a\\|b", "\\", "*a*", "_a_", "<b>", "[x](y)", "# h", "~~x~~"),
    *("a | b", "trailing\\", "`a|b`", "|", "||", "&amp;", "1. a", "- a", "{{x}}"),
]


def _document(*blocks: Table | Paragraph | Listing | Heading | Note | Verdict) -> Document:
    return Document(sections=(Section(key="test", blocks=blocks),), data=dict, verdicts=list)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_in_its_cell(text: str) -> None:
    columns = (
        Column(key="a", title=text),
        Column(key="b", title="b"),
        Column(key="c", title="c", numeric=True),
    )
    rows = (
        (Code(text), text, 1),
        (Formula(text), Shape((1, 2)), Times(3)),
        (text, None, Code(text)),
    )
    table = Table(columns=columns, rows=rows, total=True)
    (found,) = tables(render_markdown(_document(table)))
    shown = [[plain(cell).strip() for cell in row] for row in found]
    word = text.strip()
    assert shown == [
        [word, "b", "c"],
        [word, word, "1"],
        [word, "(1, 2)", "x 3"],
        [word, "", word],
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_marks_nothing_in_prose(text: str) -> None:
    blocks = (
        Heading(Code(text)),
        Paragraph(("see ", Code(text), " and ", text, ".")),
        Listing(((Code(text), ("is ", text)),)),
        Note(("see ", text)),
        Verdict(status="skipped", text=("see ", text), subject=Code(text)),
    )
    tokens = parsed(render_markdown(_document(*blocks)))
    shown = [plain(token) for token in tokens if token.type == "inline"]
    assert shown == [
        text,
        f"see {text} and {text}.",
        f"{text}: is {text}",
        f"Note: see {text}",
        f"{text}: see {text}",
    ]


def test_a_disagreement_is_a_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "elements", lambda shape: 2 * prod(shape))
    result = call("gru", "--show", "header", "-f", "markdown")
    ((head, *rows),) = tables(result.out)
    assert result.code == 3
    assert [plain(cell) for cell in head] == ["", "formula", "PyTorch"]
    assert [[plain(cell) for cell in row] for row in rows] == [["parameters", "14,880", "7,440"]]
    assert "`rnnshape gru`: **MISMATCH**: PyTorch 2." in result.out
