"""Inspecting from several threads, after a fork and in an event loop."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import rnnshape
from rnnshape import Kind, RNNConfig
from rnnshape.pytorch.threads import Result, in_own_thread, series, side_by_side
from rnnshape.shared_change import SharedChange

_CONFIGS = [
    RNNConfig(kind=kind, hidden_size=size, dropout=0.5) for kind in Kind for size in range(30, 60)
]


def _state() -> dict[str, Any]:
    """What the whole process shares, read in a thread that has not used torch before."""
    with ThreadPoolExecutor(1) as thread:
        threads = thread.submit(torch.get_num_threads).result()
    return {
        "threads here": torch.get_num_threads(),
        "threads of a new thread": threads,
        "oneDNN": torch.backends.mkldnn.enabled,
        "filters": list(warnings.filters),
        "dtype": torch.get_default_dtype(),
        "random numbers": torch.get_rng_state().tolist(),
    }


@pytest.fixture
def two_threads() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_threads_that_inspect_at_once_leave_the_process_as_it_was() -> None:
    before = _state()
    with ThreadPoolExecutor(6) as threads:
        reports = list(threads.map(rnnshape.inspect, _CONFIGS))
    assert all(report.run and report.run.agrees for report in reports)
    assert [report.config for report in reports] == _CONFIGS
    assert _state() == before


def test_threads_that_read_texts_and_models_leave_the_process_as_it_was_too() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 4)

        def forward(self, x: torch.Tensor) -> Any:
            return self.lstm(x)

    def read(number: int) -> None:
        rnnshape.inspect(f"nn.LSTM({number + 1}, 4)", run=False)
        rnnshape.inspect_model(Model(), inputs=(torch.zeros(5, 2, 3),), run=False)

    def state() -> tuple[Any, ...]:
        return list(warnings.filters), sys.stdout, torch.get_default_dtype()

    before = state()
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(read, range(200)))
    assert state() == before


def test_a_layer_of_another_thread_keeps_its_bits_while_layers_without_onednn_are_inspected() -> (
    None
):
    layer, x = nn.LSTM(16, 32), torch.randn(20, 8, 16)
    done = threading.Event()
    different = []

    def own() -> None:
        with torch.no_grad():
            expected = layer(x)[0]
            while not done.is_set():
                if not torch.equal(layer(x)[0], expected):
                    different.append(True)

    thread = threading.Thread(target=own)
    thread.start()
    try:
        for size in range(30, 60):
            rnnshape.inspect(RNNConfig(kind=Kind.GRU, hidden_size=size, dropout=0.5))
    finally:
        done.set()
        thread.join()
    assert not different


def test_a_model_may_inspect_its_own_layer_while_it_is_inspected() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 4)

        def forward(self, x: torch.Tensor) -> Any:
            rnnshape.inspect(self.lstm)
            return self.lstm(x)

    reports = rnnshape.inspect_model(Model(), inputs=(torch.zeros(5, 2, 3),))
    assert reports["lstm"].subject.calls


def test_a_fork_waits_until_onednn_is_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child has no thread that would switch it on again, nor end what is being computed."""
    running, go_on = threading.Event(), threading.Event()
    forward = nn.LSTM.forward

    def held(self: nn.LSTM, *args: Any) -> Any:
        running.set()
        go_on.wait(5)
        return forward(self, *args)

    monkeypatch.setattr(nn.LSTM, "forward", held)
    inspecting = threading.Thread(target=lambda: rnnshape.inspect(RNNConfig(kind=Kind.LSTM)))
    inspecting.start()
    assert running.wait(5)
    assert not torch._C._get_mkldnn_enabled()
    threading.Timer(0.2, go_on.set).start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's own, of forks in a process with threads
        child = os.fork()
    if not child:
        os._exit(not torch._C._get_mkldnn_enabled())
    inspecting.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


_FORKING = """
import os, threading, warnings
import rnnshape

warnings.simplefilter("ignore")  # Python's own, of forks in a process with threads
over = threading.Event()

def inspecting():
    while not over.is_set():
        rnnshape.inspect("lstm")

threads = [threading.Thread(target=inspecting) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(20):
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)
over.set()
for thread in threads:
    thread.join()
"""


def test_a_fork_and_the_runs_that_it_waits_for_do_not_wait_for_each_other() -> None:
    subprocess.run([sys.executable, "-c", _FORKING], check=True, timeout=60)


class TestSharedChange:
    """A change of a setting that several threads need at overlapping times."""

    @pytest.fixture
    def events(self) -> list[str]:
        return []

    @pytest.fixture
    def change(self, events: list[str]) -> SharedChange:
        @contextmanager
        def made() -> Iterator[None]:
            events.append("on")
            try:
                yield
            finally:
                events.append("off")

        return SharedChange(made)

    def test_the_first_makes_the_change_and_the_last_takes_it_back(
        self, change: SharedChange, events: list[str]
    ) -> None:
        entered, leave = threading.Event(), threading.Event()

        def other() -> None:
            with change:
                entered.set()
                leave.wait(5)

        thread = threading.Thread(target=other)
        with change, change:
            thread.start()
            assert entered.wait(5)
        assert events == ["on"]
        leave.set()
        thread.join()
        assert events == ["on", "off"]
        with change:
            assert events == ["on", "off", "on"]

    def test_an_error_in_the_block_takes_it_back(
        self, change: SharedChange, events: list[str]
    ) -> None:
        with pytest.raises(KeyError), change:
            raise KeyError
        assert events == ["on", "off"]

    def test_a_change_that_fails_is_tried_again(self, events: list[str]) -> None:
        @contextmanager
        def made() -> Iterator[None]:
            events.append("tried")
            if len(events) == 1:
                raise KeyError
            yield

        change = SharedChange(made)
        with pytest.raises(KeyError), change:
            pass
        with change:
            assert events == ["tried", "tried"]

    @pytest.mark.filterwarnings("ignore:This process")  # of forks in a process with threads
    def test_a_child_forked_within_the_block_has_the_change_until_it_leaves(
        self, change: SharedChange, events: list[str]
    ) -> None:
        seen: list[list[str]] = []
        with change:
            child = os.fork()
            seen.append([*events])
            with change:
                seen.append([*events])
        seen.append([*events])
        with change:
            seen.append([*events])
        seen.append([*events])
        expected = [["on"], ["on"], ["on", "off"], ["on", "off", "on"], ["on", "off", "on", "off"]]
        if not child:
            os._exit(seen != expected)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert seen == expected


def _verdict(config: RNNConfig) -> bool:
    run = rnnshape.inspect(config).run
    return run is not None and run.agrees


@pytest.mark.usefixtures("two_threads")
@pytest.mark.filterwarnings("ignore:This process")  # of forks in a process with threads
def test_a_forked_child_inspects_after_its_parent_has_computed_in_threads() -> None:
    torch.randn(2000, 2000) @ torch.randn(2000, 2000)
    large = RNNConfig(kind=Kind.LSTM, input_size=512, hidden_size=512)
    assert _verdict(large)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_verdict, [large] * 4).get(30) == [True] * 4


def test_an_event_loop_inspects_directly_and_in_its_threads() -> None:
    async def inspected() -> list[bool]:
        several = (asyncio.to_thread(_verdict, config) for config in _CONFIGS[:8])
        return [_verdict(_CONFIGS[0]), *await asyncio.gather(*several)]

    assert asyncio.run(inspected()) == [True] * 9


class TestThreadsOfRuns:
    """A thread of its own keeps a run from the caller's modes; a new one each time is slow."""

    @pytest.fixture
    def seen(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
        """The thread of each run, and with how many torch computes there."""
        seen = []

        class Watched(nn.LSTM):
            def forward(self, *arguments: Any) -> Any:
                seen.append((threading.get_ident(), torch.get_num_threads()))
                return super().forward(*arguments)

        monkeypatch.setattr(nn, "LSTM", Watched)
        return seen

    def test_the_layers_of_a_model_share_one(self, seen: list[tuple[int, int]]) -> None:
        model = nn.ModuleList(nn.LSTM(3, 4) for _ in range(5))
        rnnshape.inspect_model(model)
        assert len(seen) == 5
        assert len({*seen}) == 1
        assert seen[0][0] != threading.get_ident()

    @pytest.mark.usefixtures("two_threads")
    def test_the_modules_of_a_manifest_share_a_few(
        self, seen: list[tuple[int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rnnshape.pytorch.threads._cores", lambda: 3)
        manifest = tmp_path / "rnnshape.toml"
        manifest.write_text("".join(f"[modules.m{n}]\ntarget = 'lstm'\n" for n in range(30)))
        before = _state()
        rnnshape.check(manifest)
        assert len(seen) == 30
        assert len({*seen}) <= 3
        assert {threads for _, threads in seen} == {1}
        assert threading.get_ident() not in {thread for thread, _ in seen}
        assert _state() == before

    @pytest.mark.parametrize(("with_state", "seen"), [(True, [False, False]), (False, [True])])
    def test_two_calls_that_are_compared_are_both_without_onednn(
        self, with_state: bool, seen: list[bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An LSTM in another thread might switch it between them, and with it their last bits."""
        enabled = []

        class Watched(nn.GRU):
            def forward(self, *arguments: Any) -> Any:
                enabled.append(torch._C._get_mkldnn_enabled())
                return super().forward(*arguments)

        monkeypatch.setattr(nn, "GRU", Watched)
        assert rnnshape.inspect("gru", rnnshape.InputSpec(with_state=with_state)).run
        assert enabled == seen

    @pytest.mark.parametrize("large", ["_ONE_THREAD", "_LITTLE"])
    def test_large_modules_of_a_manifest_take_turns(
        self, large: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, most = set(), []

        class Watched(nn.LSTM):
            def forward(self, *arguments: Any) -> Any:
                running.add(self)
                most.append(len(running))
                time.sleep(0.02)
                running.remove(self)
                return super().forward(*arguments)

        monkeypatch.setattr(nn, "LSTM", Watched)
        monkeypatch.setattr("rnnshape.pytorch.threads._cores", lambda: 4)
        manifest = tmp_path / "rnnshape.toml"
        manifest.write_text("".join(f"[modules.m{n}]\ntarget = 'lstm'\n" for n in range(12)))
        rnnshape.check(manifest)
        assert max(most) > 1
        monkeypatch.setattr(f"rnnshape.pytorch.run.{large}", 0)
        monkeypatch.setattr("rnnshape.pytorch.run._SMALL_STEP", 0)
        most.clear()
        rnnshape.check(manifest)
        assert most == [1] * 12

    def test_results_are_in_order_whatever_ended_first(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rnnshape.pytorch.threads._cores", lambda: 4)

        def run(number: int) -> int:
            time.sleep(0.02 * (number % 3 == 0))
            if number == 5:
                raise KeyError(number)
            return number

        results = side_by_side(run, range(20))
        assert [each.get() for each in results[:5]] == [0, 1, 2, 3, 4]
        with pytest.raises(KeyError):
            results[5].get()
        assert [each.get() for each in results[6:]] == [*range(6, 20)]

    def test_after_an_error_nothing_begins_if_that_is_wanted(self) -> None:
        begun = []

        def run(number: int) -> int:
            begun.append(number)
            if number == 1:
                raise KeyError
            time.sleep(0.01)
            return number

        results = side_by_side(run, range(1_000), until_error=True)
        assert results[0].get() == 0
        with pytest.raises(KeyError):
            results[1].get()
        assert len(begun) < 10

    def test_a_thread_that_ends_without_a_word_lacked_memory(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Waiting for it would last for ever."""
        monkeypatch.setattr(Result, "compute", lambda _: False)
        with pytest.raises(MemoryError):
            side_by_side(str, range(3))[0].get()
        with pytest.raises(MemoryError):
            in_own_thread(int)

    @pytest.mark.usefixtures("two_threads")
    def test_a_large_layer_has_one_of_its_own_and_all_of_torchs(
        self, seen: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rnnshape.pytorch.run._ONE_THREAD", 100_000)
        monkeypatch.setattr("rnnshape.pytorch.run._SMALL_STEP", 0)
        sizes = (40, 4, 40, 4)
        rnnshape.inspect_model(nn.ModuleList(nn.LSTM(4, size) for size in sizes))
        assert [threads for _, threads in seen] == [2, 1, 2, 1]
        assert seen[1] == seen[3]
        assert torch.get_num_threads() == 2

    @pytest.mark.usefixtures("two_threads")
    def test_a_large_layer_of_many_small_steps_shares_it(
        self, seen: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rnnshape.pytorch.run._ONE_THREAD", 0)
        with series():
            for steps in (1, 1_000):  # of 5 x 4 x 400 x (20 + 400) multiply-adds = 3,360,000
                rnnshape.inspect(
                    RNNConfig(kind=Kind.LSTM, hidden_size=400), rnnshape.InputSpec(seq_len=steps)
                )
        assert [threads for _, threads in seen] == [1, 1]
        assert seen[0] == seen[1]

    def test_a_run_within_a_run_does_not_wait_for_itself(self) -> None:
        class Nested(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.lstm = nn.LSTM(3, 4)

            def forward(self, x: torch.Tensor) -> Any:
                assert rnnshape.inspect("gru").run
                return self.lstm(x)[0]

        with torch.inference_mode(), series():
            assert rnnshape.inspect("lstm").run
            assert rnnshape.inspect_model(Nested(), inputs=(torch.zeros(5, 2, 3),))["lstm"].run
            assert rnnshape.inspect("lstm").run
