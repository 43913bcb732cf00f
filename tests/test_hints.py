"""What a hint says to do is done, word by word, and accepted."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.program import call
from tests.test_errors import REFUSED, two_lines

# Each is refused with a hint that begins with an option, or that is a command.
BAD = [
    *(shlex.join(words) for words, said in REFUSED.values() if said[1].startswith("rnnshape ")),
    *("lstm --proj -1", "lstm --proj x --hidden 8", "lstm --proj 39.5", "lstm --proj 99.5"),
    *("lstm --hidden 32,64", "lstm --hidden 5,10,15,20", "gru --layers 1,2", "rnn --seq 5,10"),
    *("lstm --batch 4,8", "lstm --proj 4,8", "lstm --proj 39,40", "lstm --hidden 0,8"),
    *("lstm --input 10,20", "lstm --input 10,5,20", "lstm --input (10x20)", "lstm --hidden [3]"),
    *(
        "lstm --hidden 3x4",
        "gru --nonlinearity 3x4",
        "lstm --hidden (5x10)",
        "lstm --layers 2x",
        "lstm --batch 0x10",
    ),
    *("lstm --hidden 0b11", "lstm --hidden 1k", "lstm --hidden 1e3", "lstm --hidden 1_000"),
    *("lstm --input-shape 5 --seq 70", "lstm --input-shape 5 --batch 3", "lstm --input-shape a"),
    *("lstm --input-shape 5 --input 7", "lstm --input-shape 5,7 --batch 3 --seq 5"),
    *("lstm --input-shape 5,7 --batch 3 --seq 6", "lstm --input-shape a --seq 6 --batch 2"),
    *("lstm --input-shape 1,2,3,4 --unbatched", "lstm --input-shape 5 --unbatched"),
    *("lstm --input-shape 1,2,3 --unbatched", "lstm --input-shape 0,24 --batch 3"),
    *("lstm --input-shape 9 --lengths 7,3", "lstm --input-shape 9,20 --lengths 7,3"),
    *("lstm --input-shape 7,3,20 --lengths 7,3", "lstm --input-shape a --lengths 7,3"),
    *("lstm --input-shape 3,7,20 --lengths 7,3 --batch-first", "lstm --input-shape 0,5,20"),
    *("lstm --input-shape 3,5,3 --lengths 4,2,3", "gru --input-shape 2,9,3 --lengths 7,3"),
    *("lstm --cell --input-shape 10,5,20", "lstm --cell --input-shape 20 --batch 3"),
    *("lstm --cell --input-shape a", "lstm --cell --input-shape 5,20 --unbatched"),
    *("lstm --cell --input-shape 1,2,3,4 --unbatched", "lstm --cell --input-shape 5,0"),
    *("lstm --lengths 7,a", "lstm --lengths 7,0,2", "lstm --lengths a", "lstm --lengths ''"),
    *("lstm --lengths '[7, 3]'", "lstm --lengths 7,", "lstm --lengths -3,2", "lstm --lengths 7;3"),
    *("lstm --dropout 2", "lstm --show weightz", "lstm -f jsno", "lstm --color x"),
    *("compare lstm gru --limit 5,10", "compare lstm --limit 0", "compare lstm --limit 1.5"),
    *("compare lstm --hidden 64..32", "compare lstm --hidden 32,x", "compare lstm --sort x"),
    "inspect 'nn.LSTM(30, 40)' --input-shape 10,5,20",
    "inspect 'nn.LSTM(30, 40, batch_first=True)' --input-shape 10,5,20",
    "inspect 'nn.LSTMCell(30, 40)' --input-shape 10,5,20",
    *("budget lstm --params 150.5", "budget lstm --params 136,960", "budget lstm --params 4MiB"),
    *("budget lstm --params 0.0935k", "budget lstm --bytes lots", "budget lstm --params 50"),
    *("budget lstm --macs 1e9", "budget lstm --params ''", f"budget gru --params {'9' * 390}.5"),
    *(
        "budget lstm --solve x --params 1M",
        "budget gru --solve proj --params 1M",
        "budget lstm --params 999.5B",
        "budget lstm --macs 1e9",
        "budget lstm --bytes 9e3",
    ),
    *("lstm --expect 'params <= 1.5'", "lstm --expect 'params => 9920'"),
    *("lstm --expect 'params = 9,920'", "lstm --expect 'output = 9920'"),
    *("gru --hidden 512 --proj 256", "rnn --proj 99", "lstm --expect 'weight_ih_l-1 = 1'"),
    *("lstm --expect 'params < 1.5B'", "lstm --expect 'macs < 7B'"),
    *("lstm --expect 'outptu <= 10,5,40'", "lstm --expect 'parms = 10,5'"),
    *("lstm --expect 'output <= 10,5,40'", "lstm --expect 'outptu = 10,5,40'"),
    *("lstm --expect 'params = 9920B'", "lstm --expect 'parameters=<9920'"),
]


def _followed(words: list[str], problem: str, hint: str) -> list[str]:
    """The request with what the hint gives in place of what the error blames, or beside it."""
    instead = shlex.split(re.split("; |, or | is the | makes | alone$", hint)[0])
    if instead == ["--batch-first"]:
        return [*words, *instead]
    if instead[0] == "rnnshape":
        return instead[1:]
    blamed = next(
        word for word in (problem.split(maxsplit=1)[0], instead[0], "-f") if word in words
    )
    place = words.index(blamed)
    return [*words[:place], *instead, *words[place + 2 :]]


@pytest.mark.parametrize(
    "request_", [each for each in BAD if "--lengths" in each and "--input-shape" in each]
)
def test_the_other_shape_of_a_hint_is_accepted(request_: str) -> None:
    words = shlex.split(request_)
    _, hint = two_lines(call(*words))
    shape = re.search(r"--input-shape ([0-9,]+)$", hint)
    if shape is not None:
        words[words.index("--input-shape") + 1] = shape[1]
        assert call(*words, "--no-run").code == 0


@pytest.mark.parametrize("request_", BAD)
def test_a_hint_that_is_followed_is_accepted(request_: str) -> None:
    words = shlex.split(request_)
    problem, hint = two_lines(call(*words))
    followed = _followed(words, problem, hint)
    result = call(*followed, *([] if followed[0] == "compare" else ["--no-run"]))
    assert result.err == ""
    assert result.code in (0, 1)  # 1: an expectation that can be judged
