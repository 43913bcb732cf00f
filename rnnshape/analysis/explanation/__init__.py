"""What an error of PyTorch means: its text is read, its numbers are put into a layer's terms."""
