"""Where layers come from: texts that describe one, and the manifest."""
