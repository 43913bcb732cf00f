"""One recurrent layer: its description, its prediction, and what a run of it found."""
