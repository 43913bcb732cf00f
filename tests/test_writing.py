"""Files that are written: all of them or none, never over what is read, never over a change."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rnnshape.errors import RequestError
from rnnshape.files import write_files
from tests.program import MODULE, call, shell

_MANIFEST = '[modules.a]\ntarget = "lstm"\nexpect = ["output = 10,5,41"]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _contents() -> dict[str, str]:
    return {each.name: each.read_text() for each in Path().iterdir() if each.is_file()}


def _refusing(name: str) -> Any:
    """`Path.replace` that fails for one file, as in a sticky folder, or where it is a mount."""
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(16, "Device or resource busy")
        return replace(self, target)

    return refuse


def test_a_file_that_cannot_be_replaced_leaves_all_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("a.md").write_text("old")
    Path("a.md").chmod(0o640)
    Path("c.md").write_text("old")
    monkeypatch.setattr(Path, "replace", _refusing("c.md"))
    result = call("lstm", "--no-run", "-o", "a.md", "-o", "b.md", "-o", "c.md")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: cannot write c.md: Device or resource busy\nhint: ")
    assert _contents() == {"a.md": "old", "c.md": "old"}
    assert Path("a.md").stat().st_mode & 0o777 == 0o640


def test_what_was_written_can_be_put_back() -> None:
    Path("old.md").write_bytes(b"old")
    put_back = write_files([(Path("old.md"), b"new"), (Path("new.md"), b"new")], "-o")
    assert _contents() == {"old.md": "new", "new.md": "new"}
    put_back()
    assert _contents() == {"old.md": "old"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_stdout_that_is_full_leaves_the_files_as_they_were() -> None:
    Path("old.md").write_text("old")
    assert shell("rnnshape lstm --no-run -o old.md -o new.md >/dev/full").code == 2
    assert _contents() == {"old.md": "old"}


def test_a_reader_of_stdout_that_stops_leaves_the_files_written() -> None:
    shell("rnnshape lstm --layers 500 --full --no-run -o whole.md | head -1")
    assert Path("whole.md").read_text().startswith("**`nn.LSTM(20, 40, num_layers=500)`**")


def test_a_disk_that_is_full_is_not_taken_for_a_want_of_permission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = call("lstm", "--no-run", "-o", "a.md")
    assert result.err == (
        "error: cannot write a.md: No space left on device\n"
        "hint: free some space, or -o with a file on another disk\n"
    )
    assert _contents() == {}


def test_another_thread_than_the_main_one_may_write() -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(write_files, [(Path("a.md"), b"a")], "save").result()
    assert _contents() == {"a.md": "a"}


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_while_files_are_written_waits_until_they_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, seen = getattr(signal, name), []
    before = signal.signal(number, lambda *_: seen.append(_contents()))
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), number)
        time.sleep(0.01)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    over = threading.Event()
    other = threading.Thread(target=over.wait, args=(5,))  # which may get the signal
    other.start()
    try:
        write_files([(Path("a.md"), b"a"), (Path("b.md"), b"b")], "-o")
    finally:
        signal.signal(number, before)
        over.set()
        other.join()
    assert seen == [{"a.md": "a", "b.md": "b"}]


@pytest.mark.parametrize("through", ["itself", "a link", "the nearest, by a link"])
def test_a_manifest_is_not_replaced_by_the_report_of_its_check(through: str) -> None:
    manifest = Path("rnnshape.toml" if "nearest" in through else "m.xml")
    manifest.write_text(_MANIFEST)
    output = manifest.name
    if "link" in through:
        output = "link.xml"
        Path(output).symlink_to(manifest)
    named = [] if "nearest" in through else [manifest.name]
    result = call("check", *named, "--no-run", "-o", output)
    assert result.err == (
        f"error: -o {output} would replace {manifest}, which is read\nhint: -o with another file\n"
    )
    assert manifest.read_text() == _MANIFEST


def test_a_manifest_that_cannot_be_read_is_not_replaced_by_the_refusal() -> None:
    Path("m.xml").write_text("not TOML")
    assert call("check", "m.xml", "-o", "m.xml").code == 2
    assert _contents() == {"m.xml": "not TOML"}


def test_a_file_of_weights_is_not_replaced_by_its_report() -> None:
    numpy = pytest.importorskip("numpy")
    weights = {
        f"lstm.weight_{part}_l0": numpy.zeros((16, size)) for part, size in (("ih", 3), ("hh", 4))
    }
    with Path("weights.json").open("wb") as file:
        numpy.savez(file, **weights)
    before = Path("weights.json").read_bytes()
    result = call("inspect", "weights.json", "-o", "weights.json")
    assert result.err.startswith("error: -o weights.json would replace weights.json, which is read")
    assert Path("weights.json").read_bytes() == before


def test_an_update_does_not_undo_what_was_written_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path("rnnshape.toml")
    path.write_text(_MANIFEST)
    added = f"{_MANIFEST}\n[modules.b]\ntarget = 'gru'\n"

    def updates(*_: object) -> Any:
        path.write_text(added)
        return {("a", 0): "output = 10,5,40"}

    monkeypatch.setattr("rnnshape.cli.check.updates", updates)
    result = call("check", "--update", "--no-run")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: rnnshape.toml was changed in the meantime, and is left as it is\n"
        "hint: rnnshape check rnnshape.toml --update\n"
    )
    assert path.read_text() == added


def test_an_update_of_stdin_is_refused() -> None:
    Path("m.toml").write_text(_MANIFEST)
    result = shell("rnnshape check /dev/stdin --update --no-run <m.toml")
    assert result.code == 2
    assert result.err == (
        "error: --update writes the manifest, and /dev/stdin is not a file to write\n"
        "hint: rnnshape check FILE --update\n"
    )
    assert Path("m.toml").read_text() == _MANIFEST


def test_of_several_that_begin_a_manifest_one_does() -> None:
    command, null = [*MODULE, "check", "--init", "lstm"], subprocess.DEVNULL
    started = [subprocess.Popen(command, stdout=null, stderr=null) for _ in range(6)]
    assert sorted(each.wait() for each in started) == [0, 2, 2, 2, 2, 2]
    assert list(_contents()) == ["rnnshape.toml"]


def test_a_stdout_that_does_not_block_gets_the_whole_report() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    command = [*MODULE, "lstm", "--layers", "3000", "--full", "--no-run"]
    with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        time.sleep(1)  # the pipe is full by then
        with os.fdopen(read, "rb") as file:
            text = file.read()
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait()) == (b"", 0)
    assert len(text) > 2**16
    assert text == shell("rnnshape lstm --layers 3000 --full --no-run").out.encode()


def test_a_refused_file_names_what_asks_for_it() -> None:
    with pytest.raises(RequestError, match=r"cannot write .*gone"):
        write_files([(Path("gone/a.md"), b"")], "save")


@pytest.mark.parametrize("name", ["a\0.md", "a\ud800.md"], ids=["a null", "half a character"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    result = call("lstm", "--no-run", "-o", name)
    assert (result.code, result.out) == (2, "")
    assert result.err.endswith("md': no file can have such a name\nhint: -o with another name\n")
