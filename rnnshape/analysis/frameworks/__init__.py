"""The same layer in other frameworks: one file for each, behind `registry.py`."""
