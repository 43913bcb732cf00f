"""What the command line must not cost; each file measures one case against a baseline."""
