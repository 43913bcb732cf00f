"""The command line: words in, text and an exit code out; the only reader of the environment."""
