"""What a workflow of GitHub Actions gets besides stdout: annotations and a summary."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from rnnshape.document.model import Document


def annotate(document: Document) -> None:
    """Mark the failures at their places: on stderr, whose commands the runner obeys too.

    stdout stays the same bytes wherever the command runs.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from rnnshape.render.github import render_annotations

    sys.stderr.write(render_annotations(document, folder=_folder()))
    sys.stderr.flush()


def summarise(document: Document, title: str) -> None:
    """Append the document to the summary of the job; a summary that cannot be is no failure."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if os.environ.get("GITHUB_ACTIONS") != "true" or not path:
        return
    from rnnshape.render.markdown import render_markdown

    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"### {title}\n\n{render_markdown(document)}\n")
    except OSError as error:
        sys.stderr.write(f"note: no summary in {path}: {error.strerror or error}\n")


def _folder() -> str:
    """Where this folder is in the repository, which annotations name files from."""
    root = os.environ.get("GITHUB_WORKSPACE")
    with suppress(OSError, ValueError):
        here = Path.cwd().resolve()
        if root and here.is_relative_to(Path(root).resolve()):
            return here.relative_to(Path(root).resolve()).as_posix()
    return ""
