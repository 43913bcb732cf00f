"""The program as its user meets it: streams, files, exit codes, help, spellings, completion."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import typer

from rnnshape import __version__
from rnnshape.cli import commands
from rnnshape.cli.commands import application
from rnnshape.document.sections import SECTIONS
from rnnshape.layer import formulas, weights
from tests.program import MODULE, SCRIPT, Result, call, environment, shell, spawn
from tests.test_errors import two_lines

KINDS = ("lstm", "gru", "rnn")
# PyTorch's names of options, and the names that help shows.
SPELLINGS = {
    "input-size": "input",
    "hidden-size": "hidden",
    "num-layers": "layers",
    "bidirectional": "bidir",
    "proj-size": "proj",
    "batch-size": "batch",
    "seq-len": "seq",
    "seq-length": "seq",
}
COMMANDS = (*KINDS, "inspect", "compare", "budget", "check", "explain")
PLAIN = ("gru", "--no-run")


@pytest.fixture(scope="module")
def plain() -> str:
    """What `rnnshape gru --no-run` writes."""
    return call(*PLAIN).out


class TestStreams:
    """stdout is the artefact; what cannot be written is said on stderr, once."""

    @pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["python -m", "console script"])
    def test_a_pipe_gets_it_all_and_stderr_nothing(
        self, plain: str, program: tuple[str, ...]
    ) -> None:
        assert spawn(*PLAIN, program=program) == Result(code=0, out=plain, err="")

    def test_a_run_writes_nothing_to_stderr(self) -> None:
        result = spawn("gru")
        assert result == call("gru")
        assert (result.code, result.err) == (0, "")
        assert result.out.split("\n\n")[-1].startswith("ok: torch 2.")

    def test_a_file_gets_it_all(self, plain: str, tmp_path: Path) -> None:
        result = shell("rnnshape gru --no-run > out", cwd=tmp_path)
        assert result == Result(code=0, out="", err="")
        assert (tmp_path / "out").read_text() == plain

    @pytest.mark.parametrize("words", ["gru --no-run", "gru", "--help", "--version"])
    def test_a_closed_stdout_is_refused(self, words: str) -> None:
        assert shell(f"rnnshape {words} >&-") == Result(
            code=2,
            out="",
            err="error: stdout is closed\nhint: redirect it to a file or to /dev/null\n",
        )

    @pytest.mark.parametrize(
        "words", ["gru --no-run", "gru --no-run -f json", "--help", "--version"]
    )
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_a_full_stdout_is_refused(self, words: str) -> None:
        assert shell(f"rnnshape {words} >/dev/full") == Result(
            code=2,
            out="",
            err="error: cannot write to stdout: No space left on device\n"
            "hint: free some space, or send stdout to /dev/null and use -o FILE\n",
        )

    # Python itself drops the rest of a write that a pipe takes in part when it does not buffer.
    @pytest.mark.parametrize("changes", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "not"])
    @pytest.mark.parametrize("format_", ["table", "markdown", "json"])
    def test_a_broken_pipe_ends_quietly(self, format_: str, changes: dict[str, str]) -> None:
        words = f"lstm --layers 500 --full --no-run -f {format_}"
        result = shell(f"rnnshape {words} | head -c1; exit ${{PIPESTATUS[0]}}", changes=changes)
        assert (result.code, result.err) == (141, "")
        assert len(result.out) == 1

    def test_what_a_broken_pipe_took_is_the_beginning(self) -> None:
        result = shell(
            "rnnshape lstm --layers 500 --full --no-run | head -1; exit ${PIPESTATUS[0]}"
        )
        first = "nn.LSTM(20, 40, num_layers=500)   6,556,800 parameters, 26.2 MB\n"
        assert result == Result(code=141, out=first, err="")

    @pytest.mark.parametrize("changes", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "not"])
    def test_a_slow_reader_gets_it_all(self, changes: dict[str, str]) -> None:
        words = "lstm --layers 500 --full --no-run -f json"
        result = shell(f"rnnshape {words} | (sleep 0.2; cat)", changes=changes)
        assert result == Result(code=0, out=call(*words.split()).out, err="")

    def test_stderr_may_be_closed(self, plain: str) -> None:
        assert shell("rnnshape gru --no-run 2>&-") == Result(code=0, out=plain, err="")

    def test_a_refused_request_with_a_closed_stderr_is_still_refused(self) -> None:
        assert shell("rnnshape gru --hidden 0 2>&-") == Result(code=2, out="", err="")

    def test_a_run_with_a_closed_stderr_gives_the_same(self) -> None:
        assert shell("rnnshape gru 2>&-") == call("gru")

    def test_with_both_closed_the_exit_code_is_left(self) -> None:
        assert shell("rnnshape gru --no-run >&- 2>&-") == Result(code=2, out="", err="")

    def test_a_refused_request_writes_nothing_to_stdout(self) -> None:
        result = spawn("lstm", "--proj", "40")
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: proj_size 40 must be smaller")

    def test_a_request_that_fails_at_the_run_writes_nothing_to_stdout(self) -> None:
        result = spawn("lstm", "--dtype", "complex32")
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: PyTorch does not run nn.LSTM in complex32")

    @pytest.mark.parametrize("encoding", ["ascii", "gbk", "latin-1", "cp1252"])
    def test_every_encoding_holds_it(self, plain: str, encoding: str) -> None:
        env = environment(PYTHONIOENCODING=encoding)
        assert spawn(*PLAIN, env=env) == Result(code=0, out=plain, err="")

    def test_what_stdout_cannot_encode_is_escaped(self) -> None:
        code = "from rnnshape.cli.streams import write_stdout; write_stdout('encod\u00e9\\n')"
        program = (MODULE[0], "-c", code)
        result = spawn(program=program, env=environment(PYTHONIOENCODING="ascii"))
        assert result == Result(code=0, out="encod\\xe9\n", err="")

    def test_an_echo_that_stderr_cannot_encode_is_escaped(self) -> None:
        result = spawn("gru", "--hidden", "\uff15", env=environment(PYTHONIOENCODING="ascii"))
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith(
            "error: --hidden must be a whole number of 1 or more, not \\uff15\n"
        )

    @pytest.mark.parametrize(
        "words",
        [
            ("lstm", "--show", "all"),
            ("gru", "--no-run", "-f", "json"),
            ("rnn", "--no-run", "-f", "markdown"),
        ],
        ids=" ".join,
    )
    def test_the_same_request_gives_the_same_bytes(self, words: tuple[str, ...]) -> None:
        """Also where the order of a set differs, which in this process was chosen at random."""
        one = spawn(*words, env=environment(PYTHONHASHSEED="1"))
        assert one.code == 0
        assert one == call(*words)

    def test_the_width_of_the_terminal_changes_nothing_in_a_pipe(self, plain: str) -> None:
        assert spawn(*PLAIN, env=environment(COLUMNS="20")).out == plain


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestFiles:
    """`-o FILE` replaces a file when all is known to be good, or leaves it as it was."""

    def test_the_suffix_chooses_the_format(self, in_tmp: Path) -> None:
        targets = ["a.txt", "b.md", "c.markdown", "d.json", "E.JSON", "archive.tar.md"]
        result = call(*PLAIN, *(word for target in targets for word in ("-o", target)))
        table = call(*PLAIN).out
        markdown = call(*PLAIN, "-f", "markdown").out
        data = call(*PLAIN, "-f", "json").out
        assert result == Result(code=0, out=table, err="")
        assert {name: (in_tmp / name).read_text() for name in names(in_tmp)} == {
            "a.txt": table,
            "b.md": markdown,
            "c.markdown": markdown,
            "d.json": data,
            "E.JSON": data,
            "archive.tar.md": markdown,
        }

    def test_stdout_keeps_its_own_format(self, in_tmp: Path) -> None:
        result = call(*PLAIN, "-f", "json", "-o", "a.md")
        assert json.loads(result.out)["format_version"] == "1.0"
        assert (in_tmp / "a.md").read_text().startswith("**`nn.GRU(20, 40)`** ")

    def test_a_file_is_never_coloured(self, in_tmp: Path) -> None:
        result = call(*PLAIN, "--color", "always", "-o", "a.txt")
        assert "\x1b[" in result.out
        assert "\x1b" not in (in_tmp / "a.txt").read_text()

    def test_a_run_is_in_the_file(self, in_tmp: Path) -> None:
        result = call("gru", "-o", "a.txt")
        assert (in_tmp / "a.txt").read_text() == result.out
        assert "\nok: torch 2." in result.out

    def test_no_temporary_is_left_behind(self, in_tmp: Path) -> None:
        assert call(*PLAIN, "-o", "a.json", "-o", "b.md").code == 0
        assert names(in_tmp) == ["a.json", "b.md"]

    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o666, 0o755])
    def test_permissions_are_kept(self, in_tmp: Path, mode: int) -> None:
        file = in_tmp / "a.md"
        file.write_text("before")
        file.chmod(mode)
        assert call(*PLAIN, "-o", "a.md").code == 0
        assert file.read_text() != "before"
        assert stat.S_IMODE(file.stat().st_mode) == mode

    def test_a_new_file_has_the_permissions_of_the_umask(self, in_tmp: Path) -> None:
        before = os.umask(0o027)
        try:
            assert call(*PLAIN, "-o", "a.md").code == 0
        finally:
            os.umask(before)
        assert stat.S_IMODE((in_tmp / "a.md").stat().st_mode) == 0o640

    def test_a_link_is_followed_and_stays_a_link(self, in_tmp: Path) -> None:
        (in_tmp / "real").mkdir()
        (in_tmp / "real/a.md").write_text("before")
        (in_tmp / "link.md").symlink_to("real/a.md")
        assert call(*PLAIN, "-o", "link.md").code == 0
        assert (in_tmp / "link.md").is_symlink()
        assert (in_tmp / "real/a.md").read_text().startswith("**`nn.GRU")
        assert names(in_tmp / "real") == ["a.md"]

    def test_a_link_to_nothing_makes_what_it_points_at(self, in_tmp: Path) -> None:
        (in_tmp / "link.md").symlink_to("a.md")
        assert call(*PLAIN, "-o", "link.md").code == 0
        assert (in_tmp / "a.md").read_text().startswith("**`nn.GRU")

    @pytest.mark.parametrize(
        "words",
        [
            ("gru", "--hidden", "0"),
            ("lstm", "--proj", "40"),
            ("lstm", "--layers", "25001", "--full", "--no-run"),
            ("lstm", "--dtype", "complex32"),
            ("gru", "--no-run", "-o", "b.pdf"),
            ("gru", "--no-run", "-o", "missing/b.md"),
        ],
        ids=" ".join,
    )
    def test_a_refused_request_leaves_a_file_untouched(
        self, in_tmp: Path, words: tuple[str, ...]
    ) -> None:
        file = in_tmp / "a.md"
        file.write_text("before")
        entry = file.stat()
        result = call(*words, "-o", "a.md")
        assert (result.code, result.out) == (2, "")
        assert file.read_text() == "before"
        assert (file.stat().st_ino, file.stat().st_mtime_ns) == (entry.st_ino, entry.st_mtime_ns)
        assert names(in_tmp) == ["a.md"]

    @pytest.mark.parametrize(
        ("targets", "problem", "hint"),
        [
            (["a.md", "a.md"], "-o a.md is given twice", "give each file once"),
            (["a.md", "./a.md"], "-o a.md is given twice", "give each file once"),
            (["a.md", "link.md"], "-o link.md is given twice", "give each file once"),
            (
                ["folder.md"],
                "cannot write folder.md: it is a folder",
                "-o with a file in a folder that you may write to",
            ),
            (
                ["missing/a.md"],
                "cannot write missing/a.md: there is no folder /",
                "-o with a file in a folder that you may write to",
            ),
            (
                ["pipe.md"],
                "cannot write pipe.md: it is not a regular file",
                "-o with a file in a folder that you may write to",
            ),
            (
                ["a.pdf"],
                "-o a.pdf has no suffix that names a format",
                "one of .txt, .md, .markdown, .html, .htm, .tex, .csv, .json, .svg, .xml",
            ),
            (
                ["json"],
                "-o json names a format, not a file",
                "-f json",
            ),
            (
                [""],
                "-o '' has no suffix that names a format",
                "one of .txt, .md, .markdown, .html, .htm, .tex, .csv, .json, .svg, .xml",
            ),
            (
                [f"{'n' * 300}.md"],
                f"cannot write {'n' * 60}...: File name too long",
                "-o with a file in a folder that you may write to",
            ),
        ],
        ids=[
            "same file twice",
            "same file twice by another path",
            "same file twice by a link",
            "a folder",
            "a missing folder",
            "a pipe",
            "an unknown suffix",
            "no suffix",
            "no name",
            "a name that is too long",
        ],
    )
    def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(
        self,
        in_tmp: Path,
        monkeypatch: pytest.MonkeyPatch,
        targets: list[str],
        problem: str,
        hint: str,
    ) -> None:
        def must_not_run(*_args: Any, **_kwargs: Any) -> NoReturn:
            raise AssertionError("something ran")

        monkeypatch.setattr("rnnshape.cli.layer.predicted_report", must_not_run)
        (in_tmp / "folder.md").mkdir()
        (in_tmp / "link.md").symlink_to("a.md")
        os.mkfifo(in_tmp / "pipe.md")
        before = names(in_tmp)
        result = call("gru", *(word for target in targets for word in ("-o", target)))
        error, said = result.err.splitlines()
        assert (result.code, result.out) == (2, "")
        assert error == f"error: {problem}" or (problem.endswith("/") and problem in error)
        assert said == f"hint: {hint}"
        assert names(in_tmp) == before

    @pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
    @pytest.mark.parametrize("locked", ["folder", "folder/a.md"])
    def test_a_file_without_permission_is_refused(self, in_tmp: Path, locked: str) -> None:
        (in_tmp / "folder").mkdir()
        (in_tmp / "folder/a.md").write_text("before")
        (in_tmp / locked).chmod(0o500)
        result = call(*PLAIN, "-o", "folder/a.md")
        (in_tmp / locked).chmod(0o700)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: cannot write folder/a.md: permission denied\n")
        assert (in_tmp / "folder/a.md").read_text() == "before"

    def test_a_file_that_the_system_calls_unwritable_is_refused(
        self, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda *_args: False)
        result = call(*PLAIN, "-o", "a.md")
        assert result.code == 2
        assert result.err.startswith("error: cannot write a.md: permission denied\n")
        assert names(in_tmp) == []

    def test_no_file_is_replaced_when_one_of_them_fails_on_the_way(
        self, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Path.write_bytes
        written: list[Path] = []

        def second_fails(self: Path, data: bytes) -> int:
            written.append(self)
            if len(written) == 2:
                raise OSError(28, "No space left on device")
            return real(self, data)

        (in_tmp / "a.md").write_text("before")
        monkeypatch.setattr(Path, "write_bytes", second_fails)
        result = call(*PLAIN, "-o", "a.md", "-o", "b.json")
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: cannot write b.json: No space left on device\n")
        assert len(written) == 2
        assert (in_tmp / "a.md").read_text() == "before"
        assert names(in_tmp) == ["a.md"]

    def test_a_file_that_cannot_be_moved_into_place_is_refused(
        self, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_self: Path, _target: Path) -> NoReturn:
            raise OSError(16, "Device or resource busy")

        monkeypatch.setattr(Path, "replace", fails)
        result = call(*PLAIN, "-o", "a.md")
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: cannot write a.md: Device or resource busy\n")
        assert names(in_tmp) == []

    @pytest.mark.parametrize("option", ["-o a.md", "-o a.md -o b.md"])
    def test_a_file_in_a_folder_that_is_gone_is_refused(self, in_tmp: Path, option: str) -> None:
        line = f"mkdir gone && cd gone && rmdir ../gone && rnnshape gru --no-run {option}"
        result = shell(line, cwd=in_tmp)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: cannot write a.md: No such file or directory\n")

    def test_a_plot_in_a_folder_that_is_gone_is_refused(self, in_tmp: Path) -> None:
        line = "mkdir gone && cd gone && rmdir ../gone && rnnshape compare lstm --plot a.svg"
        result = shell(line, cwd=in_tmp)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: cannot write a.svg: No such file or directory\n")


def every_option() -> Iterator[tuple[str, Any]]:
    """Each command with each of its options, from the definition of the command line."""
    group = application()
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        for parameter in command.get_params(command.make_context(name, [])):
            yield name, parameter


class TestHelp:
    """The help fits a terminal of 80 columns and shows each option by one name."""

    @pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["python -m", "console script"])
    def test_the_version_is_one_line(self, program: tuple[str, ...]) -> None:
        assert spawn("--version", program=program) == Result(
            code=0, out=f"rnnshape {__version__}\n", err=""
        )

    @pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
    def test_help_has_two_spellings_and_the_same_text(self, words: tuple[str, ...]) -> None:
        short, long = call(*words, "-h"), call(*words, "--help")
        assert short == long
        assert (long.code, long.err) == (0, "")

    @pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
    @pytest.mark.parametrize("columns", ["80", "200"])
    def test_help_fits_80_columns_of_ascii(
        self, words: tuple[str, ...], columns: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", columns)
        text = call(*words, "--help").out
        assert text.isascii()
        assert max(map(len, text.splitlines())) <= 80
        assert not any(line.endswith(" ") for line in text.splitlines())

    def test_the_list_of_commands_has_each_with_what_it_is(self) -> None:
        text = call("--help").out
        for name in COMMANDS:
            assert re.search(rf"^  {name}  +\S", text, re.MULTILINE)
        assert tuple(dict.fromkeys(name for name, _ in every_option())) == COMMANDS

    @pytest.mark.parametrize(
        ("name", "parameter"),
        list(every_option()),
        # The longest spelling: the order of the others is that of a set, and workers must agree.
        ids=[f"{name} {max(parameter.opts, key=len)}" for name, parameter in every_option()],
    )
    def test_help_shows_an_option_unless_it_is_of_another_kind(
        self, name: str, parameter: Any
    ) -> None:
        text = call(name, "--help").out
        of_another_kind = name in KINDS and (
            (name != "lstm" and parameter.name == "proj_size")
            or (name != "rnn" and parameter.name == "nonlinearity")
        )
        argument = parameter.param_type_name == "argument"
        for spelling in (
            [parameter.metavar] if argument else [*parameter.opts, *parameter.secondary_opts]
        ):
            shown = (
                re.search(rf"^  .*(?<![\w-]){spelling}(?![\w-])", text, re.MULTILINE) is not None
            )
            assert shown is not of_another_kind

    @pytest.mark.parametrize("name", COMMANDS)
    def test_help_shows_no_spelling_of_pytorch(self, name: str) -> None:
        options = re.findall(r"(?<!\w)--?[a-z_-]+", call(name, "--help").out)
        assert {"--hidden", "--seq", "--device", "--output"} & set(options)
        assert not {f"--{spelling}" for spelling in SPELLINGS} & set(options)
        assert not any("_" in option for option in options)

    @pytest.mark.parametrize(
        ("name", "groups"),
        [
            *((name, ["Layer", "Input", "Run", "Expectations"]) for name in KINDS),
            ("inspect", ["Target", "Input", "Run", "Expectations"]),
            ("compare", ["Comparison", "Layer", "Input", "Run"]),
            ("budget", ["Solve", "Budget, one of these", "Layer", "Input", "Run"]),
            ("check", ["Manifest", "Run"]),
        ],
    )
    def test_options_are_in_groups(self, name: str, groups: list[str]) -> None:
        titles = re.findall(r"^(\w[\w, ]*):$", call(name, "--help").out, re.MULTILINE)
        assert titles == [*groups, "Output", "Other", "Examples"]

    def test_no_command_shows_the_help(self) -> None:
        assert spawn() == spawn("--help")


class TestSections:
    """A request that is granted shows something."""

    @pytest.mark.parametrize("section", SECTIONS)
    @pytest.mark.parametrize(
        "words", [("lstm",), ("gru", "--cell"), ("inspect", "nn.RNN(3, 4)")], ids=" ".join
    )
    def test_no_section_is_empty_without_a_word(self, words: tuple[str, ...], section: str) -> None:
        result = call(*words, "--no-run", "--show", section)
        assert bool(result.out) == (result.code == 0)
        assert bool(result.err) == (result.code == 2)

    def test_what_is_hinted_at_for_an_empty_section_works(self) -> None:
        times = call("gru", "--hidden", "2", "--seq", "2", "--show", "time", "--time")
        expected = call("gru", "--no-run", "--show", "expectations", "--expect", "params <= 150k")
        assert [times.out.split()[0], times.code] == ["time", 0]
        assert expected == Result(code=0, out="ok: 1 of 1 expectation holds\n", err="")

    def test_findings_alone_say_that_there_are_none(self) -> None:
        targets = ("nn.LSTM(20, 40)", "nn.LSTM(20, 40, dropout=0.5)")
        result = call("inspect", *targets, "--no-run", "--show", "findings")
        first, rest = result.out.split("\n", 1)
        assert first == "nn.LSTM(20, 40): nothing to point out"
        assert rest.startswith("\nnote: dropout=0.5 does nothing")

    def test_a_section_of_layers_is_shown_where_one_target_is_a_layer(self) -> None:
        words = ("inspect", "nn.GRUCell(3, 4)", "nn.GRU(3, 4)", "--no-run", "--show", "layouts")
        assert call(*words).out.count("batch_first=True") == 1

    def test_all_leaves_out_what_was_not_asked_for(self) -> None:
        assert call("gru", "--cell", "--no-run", "--show", "all").code == 0


class TestSpellings:
    """PyTorch's own names for the arguments are accepted."""

    SHORT = (
        *("lstm", "--input", "6", "--hidden", "8", "--layers", "2", "--bidir", "--proj", "4"),
        *("--batch", "3", "--seq", "7", "--batch-first", "--no-bias"),
    )

    @pytest.mark.parametrize("separator", ["-", "_"], ids=["dashes", "underscores"])
    @pytest.mark.parametrize("format_", ["table", "json", "markdown"])
    def test_pytorchs_names_give_the_same_bytes(self, separator: str, format_: str) -> None:
        long_of = {
            "--input": "--input-size",
            "--hidden": "--hidden-size",
            "--layers": "--num-layers",
            "--bidir": "--bidirectional",
            "--proj": "--proj-size",
            "--batch": "--batch-size",
            "--seq": "--seq-len",
        }
        long = [
            f"--{long_of.get(word, word).removeprefix('--').replace('-', separator)}"
            if word.startswith("--")
            else word
            for word in self.SHORT
        ]
        assert set(long) & {f"--num{separator}layers", f"--batch{separator}first"}
        short, same = call(*self.SHORT, "-f", format_), call(*long, "-f", format_)
        assert short.code == 0
        assert short == same

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_every_spelling_is_that_of_an_option(self, spelling: str) -> None:
        value = () if spelling == "bidirectional" else ("3",)
        long = call("lstm", "--no-run", f"--{spelling}", *value)
        short = call("lstm", "--no-run", f"--{SPELLINGS[spelling]}", *value)
        assert long.code == 0
        assert long == short
        assert long != call("lstm", "--no-run")

    @pytest.mark.parametrize("name", ["LSTM", "Lstm", "GRU", "RNN"])
    def test_a_command_may_be_in_capitals(self, name: str) -> None:
        assert call(name, "--no-run") == call(name.lower(), "--no-run")

    def test_an_option_may_come_with_its_value_in_one_word(self) -> None:
        assert call("gru", "--hidden=8", "--no-run") == call("gru", "--hidden", "8", "--no-run")

    def test_an_option_counts_once_or_adds_up(self) -> None:
        for repeated, last in {
            "gru --hidden 8 --hidden-size 9": "--hidden 9",
            "gru -f json --format csv": "--format csv",
            "budget --params 1M --params 2M": "--params 2M",
            "compare lstm --sort macs --sort name": "--sort name",
        }.items():
            problem, hint = two_lines(call(*repeated.split()))
            assert problem == f"option {last.split()[0]} is given more than once"
            assert hint == f"give it once: {last}"
        assert call(*["gru", "--bidir", "--bidir", "--run", "--no-run"]).code == 0
        assert call("gru", "--no-bias", "--bias", "--no-run") == call("gru", "--no-run")
        added = call(*["gru", "--no-run", "--show", "header", "--show", "cost,weights"])
        assert added == call(*["gru", "--no-run", "--show", "header,cost,weights"])

    @pytest.mark.parametrize("shape", ["7,3,6", "7x3x6", "(7, 3, 6)", " 7 , 3 , 6 ", "7X3,6"])
    def test_a_shape_may_be_written_as_people_write_shapes(self, shape: str) -> None:
        by_place = call("gru", "--no-run", "--show", "shapes", "--input-shape", shape)
        by_name = call(
            *("gru", "--no-run", "--show", "shapes"),
            *("--seq", "7", "--batch", "3", "--input", "6"),
        )
        assert by_place.code == 0
        assert by_place == by_name

    @pytest.mark.parametrize(
        ("shape", "by_name"),
        [
            ("7,6", ("--batch", "7", "--input", "6")),
            ("6", ("--unbatched", "--input", "6")),
            ("(0, 6)", ("--batch", "0", "--input", "6")),
        ],
    )
    def test_the_input_of_a_cell_has_no_steps(self, shape: str, by_name: tuple[str, ...]) -> None:
        words = ("gru", "--cell", "--no-run", "--show", "shapes,cost")
        by_place = call(*words, "--input-shape", shape)
        assert by_place.code == 0
        assert by_place == call(*words, *by_name)

    @pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["python -m", "console script"])
    def test_the_program_is_called_rnnshape_however_it_is_started(
        self, program: tuple[str, ...]
    ) -> None:
        assert spawn("lstm", "-h", program=program).out.startswith("Usage: rnnshape lstm ")


class TestCompletion:
    """The shell asks the program for completions through the environment."""

    @staticmethod
    def completed(line: str, shell_: str = "bash") -> list[str]:
        words = line.split(" ")
        env = environment(
            _RNNSHAPE_COMPLETE=f"complete_{shell_}",
            COMP_WORDS=line,
            COMP_CWORD=str(len(words) - 1),
        )
        result = spawn(program=SCRIPT, env=env)
        assert (result.code, result.err) == (0, "")
        return result.out.split()

    def test_commands_are_offered(self) -> None:
        assert self.completed("rnnshape ") == list(COMMANDS)
        assert self.completed("rnnshape g") == ["gru"]

    def test_options_are_offered_by_their_short_names(self) -> None:
        offered = self.completed("rnnshape lstm --")
        assert {"--hidden", "--layers", "--bidir", "--no-run", "--proj"} <= set(offered)
        assert not {f"--{spelling}" for spelling in SPELLINGS} & set(offered)
        assert self.completed("rnnshape lstm --hid") == ["--hidden"]

    def test_an_option_of_another_kind_is_not_offered(self) -> None:
        assert "--proj" not in self.completed("rnnshape gru --")
        assert "--nonlinearity" in self.completed("rnnshape rnn --")

    def test_the_line_that_sets_it_up_is_shown(self) -> None:
        result = shell("rnnshape --show-completion; exit $?")
        assert (result.code, result.err) == (0, "")
        assert "_RNNSHAPE_COMPLETE=complete_bash" in result.out
        assert result.out.rstrip().endswith("complete -o default -F _rnnshape_completion rnnshape")

    def test_a_shell_that_is_unknown_is_refused(self) -> None:
        env = environment(_RNNSHAPE_COMPLETE="complete_ksh")
        result = spawn(program=SCRIPT, env=env)
        assert (result.code, result.out) == (2, "")


Breaking = Callable[[Exception | KeyboardInterrupt], None]


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Breaking:
    """Makes the prediction raise what it is given."""

    def broken(error: Exception | KeyboardInterrupt) -> None:
        def raises(*_args: Any, **_kwargs: Any) -> NoReturn:
            raise error

        monkeypatch.setattr("rnnshape.cli.layer.predicted_report", raises)

    return broken


class TestFailures:
    """What goes wrong in the program itself ends with a code of its own, and never raises."""

    @pytest.mark.parametrize(
        ("error", "shown"),
        [
            (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
            (KeyError("nothing"), "KeyError: 'nothing'"),
            (ValueError("one line\nand another"), "ValueError: one line"),
            (RuntimeError("red \x1b[31m"), r"RuntimeError: red \x1b[31m"),
            (FileNotFoundError(2, "No such file", "a"), "FileNotFoundError: [Errno 2] No such"),
            (AssertionError(), "AssertionError: "),
            (RecursionError("too deep"), "RecursionError: too deep"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
    )
    def test_a_bug_is_two_lines_and_exit_code_70(
        self, breaking: Breaking, error: Exception, shown: str
    ) -> None:
        breaking(error)
        result = call("gru")
        problem, hint = result.err.splitlines()
        assert (result.code, result.out) == (70, "")
        assert problem.startswith(f"error: a bug in rnnshape: {shown}")
        where = "please report it where you got rnnshape"
        assert hint == f"hint: RNNSHAPE_TRACEBACK=1 shows where; {where}"

    def test_the_traceback_of_a_bug_is_shown_on_request(
        self, breaking: Breaking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        breaking(ZeroDivisionError("division by zero"))
        monkeypatch.setenv("RNNSHAPE_TRACEBACK", "1")
        result = call("gru")
        lines = result.err.splitlines()
        assert result.code == 70
        assert lines[0] == "Traceback (most recent call last):"
        assert any("test_command_line.py" in line for line in lines)
        assert lines[-3] == "ZeroDivisionError: division by zero"
        assert lines[-2].startswith("error: a bug in rnnshape: ZeroDivisionError")

    def test_the_traceback_of_a_refused_request_is_of_no_use_to_anyone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RNNSHAPE_TRACEBACK", "1")
        assert "Traceback" not in call("gru", "--hidden", "0").err

    def test_an_interruption_ends_quietly_with_130(self, breaking: Breaking) -> None:
        breaking(KeyboardInterrupt())
        assert call("gru") == Result(code=130, out="", err="")

    def test_an_interruption_before_the_words_are_read_ends_quietly_with_130(self) -> None:
        code = (
            "import rnnshape.cli.main as main\n"
            "def interrupted(): raise KeyboardInterrupt\n"
            "main._settle_stdout = interrupted\n"
            "main.entry()"
        )
        assert spawn(program=(MODULE[0], "-c", code)) == Result(code=130, out="", err="")

    @pytest.mark.parametrize("module", ["rnnshape.cli.main", "contextlib", "rnnshape.errors"])
    def test_an_interruption_of_the_imports_ends_quietly_with_130(self, module: str) -> None:
        code = (
            "import sys\n"
            "class Interrupted:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            f"        if name == {module!r}: raise KeyboardInterrupt\n"
            f"sys.modules.pop({module!r}, None)\n"
            "sys.meta_path.insert(0, Interrupted())\n"
            "from rnnshape.__main__ import entry\n"
            "entry()"
        )
        assert spawn(program=(MODULE[0], "-c", code)) == Result(code=130, out="", err="")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "No module named 'torch.nn'; 'torch' is not a package"),
            ("1 / 0", "division by zero"),
            ("raise SystemExit(7)", "7"),
            ("raise SystemExit", "SystemExit"),
            ("raise ValueError('two\\nlines')", "two"),
            ("def", "invalid syntax (torch.py, line 1)"),
        ],
    )
    def test_a_file_that_hides_torch_is_named(self, tmp_path: Path, text: str, reason: str) -> None:
        (tmp_path / "torch.py").write_text(text)
        result = spawn("gru", cwd=tmp_path)
        hiding = str(tmp_path / "torch.py")
        shown = hiding if len(hiding) <= 60 else f"{hiding[:60]}..."
        assert (result.code, result.out) == (2, "")
        assert result.err == (
            f"error: torch cannot be imported: {reason}\n"
            f"hint: rename {shown}, which hides PyTorch, or --no-run for the formulas alone\n"
        )

    def test_a_bug_in_reading_the_words_is_one_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def raises() -> NoReturn:
            raise LookupError("no commands")

        monkeypatch.setattr(commands, "application", raises)
        assert call("gru").code == 70

    @pytest.mark.parametrize("words", [(), ("--show", "shapes"), ("--show", "verification")])
    def test_a_disagreement_has_exit_code_3_and_is_always_shown(
        self, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
    ) -> None:
        real = formulas._shapes

        def transposed(*args: Any, **kwargs: Any) -> dict[str, tuple[int, ...]]:
            shapes = real(*args, **kwargs)
            return {name: shape[::-1] for name, shape in shapes.items()}

        monkeypatch.setattr(formulas, "_shapes", transposed)
        result = call("gru", *words)
        table = result.out[result.out.index("MISMATCH: ") :].splitlines()
        assert (result.code, result.err) == (3, "")
        assert re.fullmatch(
            r"MISMATCH: PyTorch 2\.\S+ on cpu, float32, disagrees with the formulas", table[0]
        )
        assert [line.split() for line in table[1:-1]] == [
            ["formula", "PyTorch"],
            ["weight_ih_l0", "(20,", "120)", "(120,", "20)"],
            ["weight_hh_l0", "(40,", "120)", "(120,", "40)"],
        ]
        assert table[-1] == "This is a bug in rnnshape, or PyTorch has changed: please report it."
        assert "\nok: " not in result.out

    def test_a_disagreement_is_in_markdown_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(weights, "prod", lambda shape: 2 * sum(shape))
        result = call("gru", "-f", "markdown", "--show", "header")
        assert result.code == 3
        assert "**MISMATCH**: PyTorch 2." in result.out
        assert "| `parameters` |" in result.out
