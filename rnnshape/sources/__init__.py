"""Where a layer comes from: something that a person points at, read as a config."""
