"""PyTorch: the only folder that imports torch."""
