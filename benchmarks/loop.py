"""What a person writes to run many layers: a loop that builds each and runs it, on one thread.

`python loop.py COUNT`.
"""

import sys
from collections.abc import Iterator


def layers(count: int) -> Iterator[tuple[int, int, int]]:
    """The input_size, hidden_size and num_layers of each."""
    return ((number % 97 + 100, number % 61 + 200, number % 3 + 1) for number in range(count))


def main(count: int) -> None:
    """Build each layer, run it and look at its state."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    with torch.no_grad():
        for input_size, hidden_size, num_layers in layers(count):
            lstm = nn.LSTM(input_size, hidden_size, num_layers)
            _, (h_n, _) = lstm(torch.randn(10, 5, input_size))
            if tuple(h_n.shape) != (num_layers, 5, hidden_size):
                raise SystemExit(f"h_n has the shape {tuple(h_n.shape)}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
