"""The first screen answers what people ask, in few lines, and its last line says it again."""

from __future__ import annotations

import re
import shlex
from itertools import chain

import pytest
import torch

import rnnshape
from rnnshape.document.sections import DEFAULT_SECTIONS, MEASURED, SECTIONS
from rnnshape.render.terminal import _AXES
from tests.program import call
from tests.terminal import ESCAPE, PLAIN, shown

README = ("lstm", "--hidden", "40", "--layers", "4", "--bidir")
SENTENCE = "output: the last layer, every step; h_n: every layer, its last step"


def _lines(words: str) -> list[str]:
    result = call(*shlex.split(words))
    assert (result.code, result.err) == (0, ""), result
    return result.out.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        *("lstm", "gru", "rnn", "lstm --hidden 512 --dtype half", "gru --no-run"),
        *("lstm --batch-first", "lstm --unbatched", "rnn --no-bias", "lstm --hidden 64 --seq 7"),
        *("lstm --cell", "gru --cell", "rnn --nonlinearity relu", 'inspect "nn.LSTM(10, 20)"'),
        "lstm --device meta --no-run",
    ],
)
def test_one_layer_in_one_direction_takes_29_lines(words: str) -> None:
    lines = _lines(words)
    assert len(lines) <= 29
    assert max(map(len, lines)) <= 80


def test_the_example_of_the_readme_takes_32_lines() -> None:
    assert len(_lines(shlex.join(README))) == 32


# Each with what answers it. Whoever types the command sees the first 24 lines of it.
QUESTIONS = {
    "lstm --batch-first": (
        r"^input +\(5, 10, 20\) .* batch, seq, feature$",
        r"^h_n, h_0 +\(1, 5, 40\) .* layer\*dir, batch, feature$",
        r"batch_first moves no state: the batch of h_n is axis 1$",
    ),
    "lstm": (f"^{SENTENCE}$",),
    'inspect "rnn = nn.LSTM(10, 20, 2)"': (
        r"^nn\.LSTM\(10, 20, num_layers=2\) ",
        r"^output +\(10, 5, 20\)",
        r"^h_n, h_0 +\(2, 5, 20\)",
    ),
    "lstm --layers 4 --bidir": (
        r"^nn.LSTM\(20, 40, num_layers=4, bidirectional=True\)",
        r"^h_n, h_0 +\(8, 5, 40\) +\(D\*num_layers, N, H_out\) +layer\*dir",
        r"D=2 directions$",
        r"h_n: every layer, its last step, both ways$",
    ),
    "budget lstm --params 5M --input 80 --layers 3 --bidir": (r"is the largest hidden_size",),
    "gru --time --show time": (r"^GRU  \(this\) +[\d.]+ [mun]?s",),
    "lstm --hidden 512 --dtype half": (r" parameters, 2\.19 MB$",),
    "lstm -f markdown": (r"^\| `output` +\| `\(10, 5, 40\)` \|",),
    "lstm --input 80 --hidden 512 --layers 3 --batch 32 --seq 1000 --show cost": (
        r"^inference +[\d,]+ +[\d.]+ MB +the sum of these$",
        r"^training +[\d,]+ +[\d.]+ GB +weights, gradients, Adam, input, kept$",
        r"Peaks are higher",
    ),
}


@pytest.mark.parametrize(("words", "answers"), QUESTIONS.items(), ids=QUESTIONS)
def test_a_question_is_answered_in_the_first_24_lines(words: str, answers: tuple[str, ...]) -> None:
    first = "\n".join(_lines(words)[:24])
    for answer in answers:
        assert re.search(answer, first, re.MULTILINE), answer


def test_half_precision_in_mb_is_right() -> None:
    layer = torch.nn.LSTM(20, 512).half()
    assert f"{sum(value.nbytes for value in layer.parameters()) / 1e6:.3}" == "2.19"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("lstm", SENTENCE),
        ("gru --layers 3", SENTENCE),
        ("rnn --bidir", f"{SENTENCE}, both ways"),
        ("lstm --lengths 7,3", SENTENCE.replace("its last step", "each row's own last step")),
        ("lstm --cell", "one step: h_1, c_1 of this call are h_0, c_0 of the next one"),
        ("rnn --cell", "one step: h_1 of this call is h_0 of the next one"),
    ],
)
def test_states_begin_with_what_the_results_are(words: str, sentence: str) -> None:
    for show in ("default", "states", "all"):
        lines = _lines(f"{words} --no-run --show {show}")
        assert lines[lines.index("states") + 1] == sentence


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        ("lstm --layers 2 --bidir", "not returned: "),
        ("lstm --layers 2 --bidir", "h_n.view(2, 2, 5, 40).sum(1).shape"),
        ("lstm --layers 2 --bidir", "count = layers x directions"),
        ("gru", "multiply-adds of the matrix products"),
        ("lstm", "saves parameters up to"),
    ],
)
def test_what_is_asked_seldom_is_in_the_sections_asked_for_by_name(words: str, detail: str) -> None:
    plain = call(*words.split(), "--no-run").out
    named = call(*words.split(), "--no-run", "--show", "states,weights,compare").out
    everything = call(*words.split(), "--no-run", "--show", "all").out
    assert (detail in plain, detail in named, detail in everything) == (False, True, True)


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ("lstm", "output (10, 5, 40), h_n and c_n (1, 5, 40), 9,920 parameters"),
        ("gru --unbatched", "output (10, 40), h_n (1, 40), 7,440 parameters"),
        ("lstm --proj 7", "output (10, 5, 7), h_n (1, 5, 7), c_n (1, 5, 40), 4,920 parameters"),
        ("rnn --lengths 7,3,2", "output (7, 3, 40), h_n (1, 3, 40), 2,480 parameters"),
        ("lstm --cell", "h_1 and c_1 (5, 40), 9,920 parameters"),
    ],
)
def test_the_last_line_is_the_answer_with_its_proof(words: str, last: str) -> None:
    torch_version = torch.__version__.partition("+")[0]
    text = " ".join(call(*words.split()).out.split("\n\n")[-1].split())
    assert text == f"ok: torch {torch_version} on cpu, float32: {last}, all as predicted"
    text = " ".join(call(*words.split(), "--no-run").out.split("\n\n")[-1].split())
    assert text == f"not run: {last} by formula alone"


class TestAssumed:
    """What was not given is said as it could have been given."""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("lstm", "assumed: --seq 10 --batch 5 --input 20 --hidden 40"),
            ("gru --layers 3 --hidden 7 --seq 3", "assumed: --batch 5 --input 20"),
            ("gru --cell", "assumed: --batch 5 --input 20 --hidden 40"),
            ("gru --unbatched", "assumed: --seq 10 --input 20 --hidden 40"),
            ("gru --lengths 3,2 --hidden 7", "assumed: --input 20"),
            ('inspect "nn.GRU(3, 4)"', "assumed: --seq 10 --batch 5"),
            (
                'inspect "gru --hidden 4" --seq 3',
                "assumed: --input 20 in the target and --batch 5",
            ),
            ("compare lstm gru --hidden 4", "assumed: --seq 10 --batch 5 --input 20"),
            ("budget gru --params 5k", "assumed: --seq 10 --batch 5 --input 20"),
        ],
    )
    def test_by_the_command_in_options(self, words: str, said: str) -> None:
        lines = _lines(f"{words} --no-run")
        (line,) = (line for line in lines if line.startswith("assumed: "))
        assert line.partition(";")[0] == said

    def test_in_python_in_arguments(self) -> None:
        text = str(rnnshape.inspect("gru --hidden 7", run=False))
        assert "\nassumed: seq_len=10, batch_size=5, input_size=20; next nn.Linear" in text

    def test_not_at_all_where_all_is_given(self) -> None:
        words = "lstm --input 1 --hidden 2 --batch 3 --seq 4 --no-run"
        assert "assumed" not in call(*words.split()).out

    def test_without_a_star_after_a_number(self) -> None:
        for words in ("lstm", "compare lstm gru", "budget gru --params 5k"):
            assert not re.search(r"=\d+\*", call(*words.split(), "--no-run").out)
        assert "* default" not in call("lstm", "--no-run", "-f", "html").out


class TestMore:
    """A terminal names the sections that are not shown; a pipe and a file do not."""

    def test_it_names_every_section_that_could_be_shown(self) -> None:
        (line,) = (line for line in shown("lstm", "--no-run").lines if line.startswith("more: "))
        match = re.fullmatch(r"more: --show (\S+) or all", line)
        assert match is not None
        names = match[1].split(",")
        of_layers_found = {name for name, entry in SECTIONS.items() if entry.found}
        assert {*names} == SECTIONS.keys() - DEFAULT_SECTIONS - of_layers_found - {*MEASURED}
        assert len(line) <= 80
        for name in names:
            out = call("lstm", "--no-run", "--show", name).out
            assert out.startswith("import torch" if name == "code" else name)

    def test_it_names_none_that_a_cell_lacks(self) -> None:
        (line,) = (
            line for line in shown("gru", "--cell", "--no-run").lines if line.startswith("more: ")
        )
        assert "grid" not in line
        assert "layouts" not in line

    def test_it_is_dim_and_stands_above_the_verdict(self) -> None:
        lines = shown("gru", "--no-run").text.splitlines()
        (place,) = (n for n, line in enumerate(lines) if "more: " in line)
        assert lines[place].startswith("\x1b[2mmore: ")
        assert lines[place - 1] == ""
        assert lines[place + 1].startswith("not run: ")

    @pytest.mark.parametrize("show", ["all", "cost", "default,gates"])
    def test_it_is_not_there_for_those_who_know_of_sections(self, show: str) -> None:
        assert "more: " not in shown("gru", "--no-run", "--show", show).plain

    def test_it_is_neither_in_a_pipe_nor_in_a_file(self, tmp_path: object) -> None:
        assert "more: " not in call("gru", "--no-run", "--color", "always").out
        file = f"{tmp_path}/report.txt"
        shown("gru", "--no-run", "-o", file)
        with open(file, encoding="utf-8") as written:  # noqa: PTH123 - a name is enough
            assert "more: " not in written.read()


def _luminance(number: int) -> float:
    """The relative luminance of a colour of the 256, as WCAG defines it."""
    place = number - 16
    levels = [0, *range(95, 256, 40)]
    channels = (levels[place // 36] / 255, levels[place // 6 % 6] / 255, levels[place % 6] / 255)
    linear = [c / 12.92 if c <= 0.03928 else float(((c + 0.055) / 1.055) ** 2.4) for c in channels]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class TestColour:
    """Each axis has one colour in all of a report, beside the words, never instead of them."""

    @pytest.mark.parametrize("name", _AXES)
    def test_it_can_be_read_on_black_and_on_white(self, name: str) -> None:
        luminance = _luminance(_AXES[name])
        assert (luminance + 0.05) / 0.05 >= 3.5
        assert 1.05 / (luminance + 0.05) >= 3.5

    def test_the_sizes_and_the_words_of_an_axis_have_its_colour(self) -> None:
        text = call(*README, "--no-run", "--color", "always").out
        coloured: dict[str, set[str]] = {name: set() for name in _AXES}
        for name, number in _AXES.items():
            for match in re.finditer(rf"\x1b\[(?:1;)?38;5;{number}m(.*?)\x1b", text):
                coloured[name].add(match[1])
        assert coloured == {
            "seq": {"10", "L=10 seq", "seq"},
            "batch": {"5", "N=5 batch", "batch"},
            "feature": {"20", "80", "40", "H_in=20 input", "H_out=H_cell=40 hidden", "feature"},
            "layer": {"8", "D=2 directions", "layer*dir"},
        }
        # The batch of four tensors in the table, and of two in the last line.
        assert text.count(f"\x1b[1;38;5;{_AXES['batch']}m5\x1b[0m") == 6

    def test_the_colour_goes_with_the_axis_where_batch_comes_first(self) -> None:
        text = call("gru", "--batch-first", "--no-run", "--color", "always").out
        row = next(line for line in text.splitlines() if line.startswith("input"))
        batch, seq = (f"\x1b[1;38;5;{_AXES[name]}m" for name in ("batch", "seq"))
        assert row.index(f"{batch}5") < row.index(f"{seq}10")

    def test_a_rule_stands_under_each_head_of_a_table_as_wide_as_the_table(self) -> None:
        lines = call(*README, "--no-run", "--color", "always").out.splitlines()
        plain = [ESCAPE.sub("", line) for line in lines]
        rules = [n for n, line in enumerate(plain) if re.fullmatch("-+", line)]
        assert [plain[n - 1].split()[0] for n in rules] == ["shapes", "weights", "compare"]
        for start, stop in zip(rules, [*rules[1:], len(plain)], strict=True):
            assert lines[start].startswith("\x1b[2m")
            table = list(chain(plain[start - 1 : start], plain[start + 1 : stop]))
            end = next(n for n, line in enumerate(table) if not line or line.startswith("L="))
            assert len(plain[start]) == max(map(len, table[:end]))

    def test_there_is_no_rule_without_colour(self) -> None:
        assert "---" not in call(*README).out
        assert "---" not in shown(*README, "--no-run", changes=PLAIN).text

    def test_a_total_is_bold(self) -> None:
        text = call("gru", "--no-run", "--color", "always").out
        (total,) = (line for line in text.splitlines() if line.startswith("\x1b[1mtotal"))
        assert "\x1b[1m7,440\x1b[0m" in total
