"""On a terminal: what fits is shown, nothing is cut, colour where it is wanted, and at once."""

from __future__ import annotations

import re
import select
import subprocess
from collections.abc import Mapping
from io import StringIO

import pytest
from rich.console import Console

from rnnshape import Kind, RNNConfig, inspect
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.document.sections import DEFAULT_SECTIONS, SECTIONS
from rnnshape.render.terminal import render_sections
from tests.program import MODULE, call, environment, needs_torch, spawn
from tests.terminal import (
    ESCAPE,
    PLAIN,
    Shown,
    Terminal,
    shown,
    wiped,
    without_more,
    without_rules,
)

RICH_LSTM = ("lstm", "--hidden", "40", "--layers", "4", "--bidir")
EVERYTHING = (*RICH_LSTM, "--dropout", "0.5", "--batch", "40", "--no-run", "--show", "all")
# The program, which waits where its run begins, as it imports torch, until its stdin is closed;
# into a pipe it says that it has come so far.
_HELD_BACK = """
import sys
from rnnshape.cli.main import main
from rnnshape.pytorch import run

def hold(report, probes=(), *, real=run.with_run):
    if not sys.stderr.isatty():
        print("held", file=sys.stderr, flush=True)
    sys.stdin.read()
    return real(report, probes)

run.with_run = hold
sys.exit(main(sys.argv[1:]))
"""


# The lines of each table, and how wide the columns are that it never gives up: names and
# shapes, 22 and 27; also parameters, 40; the titles of the two layouts, 53. Where there is less
# room, each of their cells is a line.
TABLES = {"shapes": (5, 22), "weights": (7, 40), "compare": (5, 27), "layouts": (5, 53)}


@pytest.fixture(scope="module")
def unlimited() -> str:
    """Everything without a terminal, where nothing is left out."""
    return call(*EVERYTHING).out


@pytest.fixture(scope="module", params=[200, 120, 80, 60, 40, 20, 1])
def at_width(request: pytest.FixtureRequest) -> tuple[int, str]:
    """A width, and everything on a terminal as wide as that."""
    columns: int = request.param
    return columns, shown(*EVERYTHING, columns=columns, changes=PLAIN).text


def sections(text: str) -> dict[str, list[str]]:
    """The lines of each section by its first word."""
    return {block.split()[0]: block.splitlines() for block in text.split("\n\n")}


@pytest.mark.parametrize(
    ("words", "columns", "changes"),
    [
        (("gru", "--no-run"), 80, {}),
        (EVERYTHING, 60, PLAIN),
        (EVERYTHING, 0, {"TERM": "dumb"}),
        (("compare", "lstm", "gru", "--hidden", "1..30"), 200, {"COLUMNS": "60", "LINES": "9"}),
        (("lstm", "--proj", "40", "--color", "always"), 80, {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_a_terminal_shows_of_a_process_what_it_shows_of_a_call(
    words: tuple[str, ...], columns: int, changes: dict[str, str]
) -> None:
    terminal = Terminal(*words, columns=columns, env=environment(**changes))
    assert terminal.finish() == shown(*words, columns=columns, changes=changes)


class TestWidth:
    """Where a table is wider than the terminal its least needed column goes, whole."""

    def test_no_table_is_wider_than_the_terminal_or_than_its_essential_columns(
        self, at_width: tuple[int, str]
    ) -> None:
        columns, text = at_width
        for section, (rows, essential) in TABLES.items():
            table = sections(text)[section][:rows]
            assert max(map(len, table)) <= max(columns, essential), section

    def test_every_word_and_number_of_a_table_is_whole(
        self, at_width: tuple[int, str], unlimited: str
    ) -> None:
        for section, (rows, essential) in TABLES.items():
            if essential > at_width[0]:
                continue
            whole, narrow = (sections(text)[section][:rows] for text in (unlimited, at_width[1]))
            # A title may be shorter where there is less room.
            whole[0] = whole[0].replace("share of LSTM", "vs LSTM")
            narrow[0] = narrow[0].replace("share of LSTM", "vs LSTM")
            for full, part in zip(whole, narrow, strict=True):
                cells, kept = (re.split(r" {2,}", line.strip()) for line in (full, part))
                left = iter(cells)
                assert all(cell in left for cell in kept), (section, kept)

    def test_the_essential_columns_are_there_at_any_width(self, at_width: tuple[int, str]) -> None:
        for essential in (
            r"output (shape )?\(10, 40, 80\)",
            r"weight_ih_l1\.\.l3 (shape )?\(160, 80\) (x 6 |parameters )?76,800",
            r"total (32 |parameters )?136,960",
            r"LSTM --proj 20 (parameters )?79,360",
            r"h_n, h_0 (batch_first=False \(this\) )?\(8, 40, 40\) (\S+ )?\(8, 40, 40\)",
        ):
            assert re.search(essential, " ".join(at_width[1].split())), essential

    def test_no_prose_is_wider_than_the_terminal_but_for_a_single_expression(
        self, at_width: tuple[int, str]
    ) -> None:
        columns, text = at_width
        for section, lines in sections(text).items():
            if section in ("import", "grid", "diagram", "gates", "cost", "frameworks"):
                continue  # programs, pictures, equations and tables
            for line in lines[TABLES.get(section, (0, 0))[0] :]:
                # What cannot be broken: a call or a shape, a symbol's value, a word.
                words = re.sub(
                    r"\([^)]*\)(\[[^]]*\])?|\[[^]]*\]|=\S+ \w+|^ *[+=] ",
                    "",
                    line,
                )
                fits = len(line) <= columns
                related = re.search(" [=!]= ", line)
                assert fits or len(words.split()) <= 1 or related, line

    @pytest.mark.parametrize("columns", [120, 200])
    def test_prose_is_no_wider_than_a_person_reads(self, columns: int) -> None:
        screen = shown(*EVERYTHING, columns=columns, changes=PLAIN)
        assert "note: batch_size and hidden_size are both 40, so no shape" in screen.plain
        assert max(map(len, screen.lines)) <= 85

    def test_80_columns_hold_it_all(self, unlimited: str) -> None:
        screen = shown(*EVERYTHING, columns=80, changes=PLAIN)
        assert screen == Shown(code=0, text=unlimited)
        assert max(map(len, screen.lines)) <= 80

    @pytest.mark.parametrize("columns", [60, 20])
    def test_arithmetic_without_room_is_broken_not_left_out(self, columns: int) -> None:
        screen = shown(*RICH_LSTM, "--no-run", "--show", "arithmetic", columns=columns)
        words = " ".join(screen.plain.split())
        first = 2 * (4 * 40 * 20 + 4 * 40 * 40 + 2 * 4 * 40)
        others = 3 * 2 * (4 * 40 * 80 + 4 * 40 * 40 + 2 * 4 * 40)
        assert f"parameters {first:,} + {others:,} = {first + others:,}" in words
        assert max(map(len, screen.lines)) <= max(columns, 25)

    def test_a_width_that_the_user_sets_is_taken(self) -> None:
        screen = shown(*EVERYTHING, columns=200, changes={**PLAIN, "COLUMNS": "60"})
        assert screen == shown(*EVERYTHING, columns=60, changes=PLAIN)

    def test_a_terminal_that_does_not_know_its_width_is_80_wide(self, unlimited: str) -> None:
        assert shown(*EVERYTHING, columns=0, changes=PLAIN).text == unlimited


class TestOrder:
    """On a terminal the predicted sections do not wait for the run; elsewhere all waits."""

    def test_what_is_predicted_is_written_before_the_run_and_the_whole_is_that_of_a_pipe(
        self,
    ) -> None:
        program = (MODULE[0], "-c", _HELD_BACK)
        terminal = Terminal(*RICH_LSTM, program=program, env=environment(**PLAIN))
        before = terminal.read_until("0.571\n")
        assert "weights" in before
        assert "ok: " not in before
        assert terminal.process.poll() is None
        screen = terminal.finish()
        assert screen.text.startswith(before)
        assert (screen.code, without_more(wiped(screen.text))) == (0, call(*RICH_LSTM).out)
        *_, blank, more, verdict, _ = wiped(screen.text).splitlines()
        assert blank == ""
        assert more.startswith("more: --show ")
        assert verdict.startswith("ok: torch 2.")

    @needs_torch
    def test_into_a_pipe_everything_comes_at_once(self) -> None:
        process = subprocess.Popen(
            [MODULE[0], "-c", _HELD_BACK, *RICH_LSTM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        assert select.select([process.stderr], [], [], 60)[0] == [process.stderr]
        assert process.stderr.readline() == b"held\n"
        assert select.select([process.stdout], [], [], 0)[0] == []
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert out.decode() == call(*RICH_LSTM).out

    @pytest.mark.parametrize("show", ["header", "verification", "findings", "states,verification"])
    def test_a_few_sections_are_the_same_as_in_a_pipe(self, show: str) -> None:
        words = ("gru", "--seq", "5", "--batch", "5", "--no-run", "--show", show)
        assert shown(*words, changes=PLAIN).text == call(*words).out

    def test_a_run_that_is_refused_says_so_after_what_was_predicted(self) -> None:
        screen = shown("lstm", "--dtype", "complex32", changes=PLAIN)
        predicted = call("lstm", "--no-run").out.partition("\nnot run: ")[0]
        assert screen.code == 2
        assert screen.text.startswith(predicted)
        rest = screen.text.removeprefix(predicted).splitlines()
        assert [line.split(":")[0] for line in rest] == ["error", "hint"]

    def test_a_refused_request_shows_nothing_but_its_error(self) -> None:
        screen = shown("lstm", "--proj", "40")
        assert screen.code == 2
        assert [line.split(":")[0] for line in screen.lines] == ["error", "hint"]

    @pytest.mark.parametrize("format_", ["json", "markdown"])
    def test_a_machines_format_is_the_same_on_a_terminal(self, format_: str) -> None:
        words = ("gru", "--no-run", "-f", format_)
        assert shown(*words, columns=40).text == call(*words).out


COLOURED = [{}, {"TERM": "xterm"}, {"TERM": "vt100"}, {"NO_COLOR": ""}]
UNCOLOURED = [{"NO_COLOR": "1"}, {"NO_COLOR": "0"}, {"TERM": "dumb"}, {"CLICOLOR": "0"}]
# https://force-color.org, https://bixense.com/clicolors
FORCED = [{"FORCE_COLOR": "1"}, {"CLICOLOR_FORCE": "1"}, {"FORCE_COLOR": "1", "TERM": "dumb"}]


def _named(changes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in changes.items()) or "nothing"


class TestColour:
    """Colour is added to a terminal that has it, unless it is not wanted."""

    @pytest.mark.parametrize("changes", COLOURED, ids=_named)
    def test_a_terminal_is_coloured(self, changes: dict[str, str]) -> None:
        screen = shown("gru", "--no-run", changes=changes)
        assert screen.text != screen.plain
        assert without_rules(without_more(screen.plain)) == call("gru", "--no-run").out

    @pytest.mark.parametrize("changes", UNCOLOURED, ids=_named)
    def test_a_terminal_is_not_coloured_where_that_is_not_wanted(
        self, changes: dict[str, str]
    ) -> None:
        screen = shown("gru", "--no-run", changes=changes)
        assert without_more(screen.text) == call("gru", "--no-run").out

    @pytest.mark.parametrize("changes", [*COLOURED, *UNCOLOURED], ids=_named)
    def test_always_and_never_win_over_the_environment(self, changes: dict[str, str]) -> None:
        always = shown("gru", "--no-run", "--color", "always", changes=changes)
        never = shown("gru", "--no-run", "--color", "never", changes=changes)
        assert always.text != always.plain
        assert never.text == never.plain == without_rules(always.plain)

    @pytest.mark.parametrize(
        "changes",
        [{}, {"FORCE_COLOR": ""}, {"CLICOLOR_FORCE": "0"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}],
        ids=_named,
    )
    def test_a_pipe_is_not_coloured(self, changes: dict[str, str]) -> None:
        for words in (("gru", "--no-run"), ("gru", "--hidden", "0")):
            result = spawn(*words, env=environment(**changes))
            assert "\x1b" not in result.out + result.err

    @pytest.mark.parametrize("changes", FORCED, ids=_named)
    def test_a_pipe_is_coloured_where_the_environment_forces_it(
        self, changes: dict[str, str]
    ) -> None:
        coloured = spawn("gru", "--no-run", env=environment(**changes))
        assert coloured.out == without_more(shown("gru", "--no-run").text)
        assert spawn("gru", "--hidden", "0", env=environment(**changes)).err.startswith(
            "\x1b[31merror:\x1b[0m "
        )
        machine = spawn("gru", "--no-run", "-f", "markdown", env=environment(**changes))
        assert "\x1b" not in machine.out

    def test_a_pipe_is_coloured_on_request(self) -> None:
        piped = spawn("gru", "--no-run", "--color", "always")
        assert piped.out == without_more(shown("gru", "--no-run").text)

    def test_colour_is_added_and_nothing_else(self) -> None:
        coloured = call(*EVERYTHING, "--color", "always").out
        assert without_rules(ESCAPE.sub("", coloured)) == call(*EVERYTHING).out
        assert "\x1b[1m(160, 80)\x1b[0m" in coloured
        assert "\x1b[2m(L, N, D*H_out)" in coloured
        assert "\x1b[33mnote: \x1b[0m" in coloured

    @pytest.mark.parametrize("width", [40, 80])
    def test_rich_shows_the_terminals_lines_in_its_colours(self, width: int) -> None:
        report = inspect(RNNConfig(kind=Kind.LSTM, num_layers=4, dropout=0.5))
        written = StringIO()
        console = Console(
            file=written, width=width, color_system="256", force_terminal=True, _environ={}
        )
        console.print(report)
        sections = report_document(Inspection(report=report), show=DEFAULT_SECTIONS).sections
        assert written.getvalue() == render_sections(sections, width=width, colour=True)

    def test_the_verdict_is_green(self) -> None:
        assert "\x1b[32mok: \x1b[0m" in call("gru", "--color", "always").out

    def test_the_words_error_and_hint_are_coloured(self) -> None:
        problem, hint = shown("lstm", "--proj", "40").text.splitlines()
        assert problem.startswith("\x1b[31merror:\x1b[0m proj_size 40 must")
        assert hint.startswith("\x1b[36mhint:\x1b[0m --proj 31 is")

    @pytest.mark.parametrize("words", [("--color", "never"), ("--color=never",)], ids=" ".join)
    def test_errors_obey_the_option_too(self, words: tuple[str, ...]) -> None:
        assert "\x1b" not in shown("lstm", "--bogus", *words).text
        coloured = call("lstm", "--bogus", *(word.replace("never", "always") for word in words))
        assert coloured.err.startswith("\x1b[31merror:")

    def test_help_is_not_coloured(self) -> None:
        assert shown("lstm", "--help").text == call("lstm", "--help").out

    @pytest.mark.parametrize("section", ["default", "all", *SECTIONS])
    @pytest.mark.parametrize("colour", ["always", "never"])
    @pytest.mark.parametrize("full", [(), ("--full",)], ids=["folded", "full"])
    def test_no_line_ends_with_a_blank(
        self, section: str, colour: str, full: tuple[str, ...]
    ) -> None:
        for words in (("lstm", "--proj", "10"), ("rnn", "--unbatched"), EVERYTHING):
            text = call(*words, "--no-run", *full, "--show", section, "--color", colour).out
            for line in ESCAPE.sub("", text).splitlines():
                assert line == line.rstrip()
