"""Any layer that PyTorch saves is read back, however it was saved and whatever it is part of."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from rnnshape import RNNConfig
from rnnshape.layer.settings import DType
from rnnshape.sources.registry import read_source
from tests.checkpoints import saved
from tests.strategies import cells, configs

State: TypeAlias = Mapping[str, torch.Tensor]

# `RNNSHAPE_CASES=5000 pytest tests/test_saved_configs.py` tries more.
CASES: Final = int(os.environ.get("RNNSHAPE_CASES", "60"))
STORED: Final = ("kind", "cell", "input_size", "hidden_size", "num_layers", "bias")
STORED_OF_LAYERS: Final = (*STORED, "bidirectional", "proj_size")


def _npz(state: State) -> bytes:
    file = io.BytesIO()
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in state.items()}
    np.savez(file, **arrays)
    return file.getvalue()


def _safetensors(state: State) -> bytes:
    library = pytest.importorskip("safetensors.torch")
    data: bytes = library.save({name: tensor.contiguous() for name, tensor in state.items()})
    return data


def _in_training(state: State) -> bytes:
    """A checkpoint as training writes it: the optimizer's moments have the shapes of weights."""
    moments = {n: {"exp_avg": t, "exp_avg_sq": t} for n, t in enumerate(state.values())}
    optimizer = {"state": moments, "param_groups": [{"lr": 0.1, "params": [*moments]}]}
    return saved({"epoch": 3, "state": {"model_state": state}, "optimizer": optimizer})


WAYS: Final[Mapping[str, Callable[[State], bytes]]] = {
    "zip": saved,
    "legacy": lambda state: saved(state, legacy=True),
    "protocol 5": lambda state: saved(state, pickle_protocol=5),
    "in training": _in_training,
    "npz": _npz,
    "safetensors": _safetensors,
}
PREFIXES: Final = ("", "rnn.", "module.encoder.rnn.", "_orig_mod.", "model.layers.0.lstm.")


@pytest.mark.parametrize("way", WAYS)
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    layers=st.lists(configs() | cells(), min_size=1, max_size=3),
    prefix=st.sampled_from(PREFIXES),
    dtype=st.sampled_from([torch.float32, torch.float16, torch.float64]),
)
def test_a_saved_layer_is_read_back(
    way: str, layers: list[RNNConfig], prefix: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    state: dict[str, torch.Tensor] = {}
    expected: dict[str, RNNConfig] = {}
    for number, config in enumerate(layers):
        place = prefix if len(layers) == 1 else f"{prefix}{number}."
        expected[place.removesuffix(".")] = config
        state |= {f"{place}{n}": t for n, t in _built(config).to(dtype).state_dict().items()}
    file = tmp_path / "file"
    file.write_bytes(WAYS[way](state))
    source = read_source(str(file))
    assert source.unread == {}
    assert {target.name: _stored(target.config) for target in source.targets} == {
        name: _stored(config) for name, config in expected.items()
    }
    for target in source.targets:
        assert target.dtype is DType(str(dtype).removeprefix("torch."))
        config = expected[target.name]
        assert target.unknown == _unknown(config)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(config=configs() | cells(), wrapped=st.booleans())
def test_of_a_saved_module_everything_is_read_back(
    legacy: bool, config: RNNConfig, wrapped: bool, tmp_path: Path
) -> None:
    layer = _built(config)
    whole: nn.Module = nn.Sequential(nn.Linear(2, 3), layer) if wrapped else layer
    file = tmp_path / "file"
    file.write_bytes(saved(whole, legacy=legacy))
    (target,) = read_source(str(file)).targets
    assert target.config == config
    assert target.unknown == frozenset()


def _built(config: RNNConfig) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dropout with one layer
        layer: nn.Module = eval(config.constructor, {"nn": nn})  # noqa: S307
    return layer


def _stored(config: RNNConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in (STORED if config.cell else STORED_OF_LAYERS)}


def _unknown(config: RNNConfig) -> set[str]:
    """What the shapes of weights cannot tell."""
    of_layers = set() if config.cell else {"batch_first", "dropout"}
    return of_layers | ({"nonlinearity"} if config.kind.value == "RNN" else set())
