"""JSON: the document's data, indented, its keys in the order of `document/data.py`."""

from __future__ import annotations

import json

from rnnshape.document.model import Document


def render_json(document: Document) -> str:
    """The data as JSON in ASCII, and a final newline."""
    # Python would write NaN and Infinity, which are not JSON.
    return json.dumps(document.data(), indent=1, allow_nan=False) + "\n"
