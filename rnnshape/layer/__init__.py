"""One recurrent layer: what was asked for, what is known of it, and whether PyTorch agrees."""
