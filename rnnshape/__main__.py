"""`python -m rnnshape`."""

from rnnshape.cli.main import entry

if __name__ == "__main__":
    entry()
