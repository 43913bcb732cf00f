"""JSON: the document's data, indented, in the order in which it was made."""

from __future__ import annotations

import json

from rnnshape.document.model import Document


def render_json(document: Document) -> str:
    """One JSON document and a final newline, in ASCII."""
    # Python would write NaN and Infinity, which are not JSON.
    return json.dumps(document.data(), indent=1, allow_nan=False) + "\n"
