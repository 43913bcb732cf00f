"""Files of weights: a reader for each format, none of which runs anything that a file holds."""
