"""Programs of torch.export: their weights have the names of the state_dict."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from rnnshape.sources.files.registry import read_file
from tests.filing import mutations, read_or_refused, refusal, shapes, zipped
from tests.program import needs_pinned_torch


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, 2, batch_first=True)
        self.head = nn.Linear(4, 2).double()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.head(self.lstm(batch)[0].double())
        return output


@needs_pinned_torch
@pytest.mark.filterwarnings("ignore")
def test_it_holds_the_state_dict(tmp_path: Path) -> None:
    model = Tagger()
    program = torch.export.export(model, (torch.zeros(2, 5, 3),))
    torch.export.save(program, tmp_path / "a.pt2")
    contents = read_file(tmp_path / "a.pt2")
    assert contents.format == "exported PyTorch program"
    state = {name: (tuple(t.shape), str(t.dtype)[6:]) for name, t in model.state_dict().items()}
    assert shapes(contents) == state


NAME = "a/data/weights/model_weights_config.json"
META = '{"config": {"w": {"path_name": "weight_0", "tensor_meta": {"dtype": 7, "sizes": %s}}}}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "its list of weights has no config"),
        ('{"config": 3}', "its list of weights has no config"),
        ('{"config": {"w": 3}}', "its list of weights gives no sizes for w"),
        (META % '[{"as_int": -1}]', "its list of weights gives no sizes for w"),
        (META % '[{"as_expr": "s0"}]', "its list of weights gives no sizes for w"),
        ("{", "its list of weights is not valid JSON"),
    ],
)
def test_a_wrong_list_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    assert refusal(zipped({NAME: text}), tmp_path)[0] == problem


def test_mutations_are_read_or_refused(tmp_path: Path) -> None:
    data = zipped({NAME: META % '[{"as_int": 4}]'})
    for changed in mutations(data, 1500, seed=5):
        read_or_refused(changed, tmp_path)
