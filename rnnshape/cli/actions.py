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

    sys.stderr.write(render_annotations(document, path_of=_path_in_repository))
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


def workflow_commands(document: Document) -> str:
    """The document for `-f github`, with the paths that the runner knows."""
    from rnnshape.render.github import render_github

    return render_github(document, path_of=_path_in_repository)


def _path_in_repository(file: str) -> str:
    """The path from the root of the repository, where there is one and the file is in it."""
    root = os.environ.get("GITHUB_WORKSPACE")
    with suppress(OSError, ValueError):
        if root:
            return Path(file).resolve().relative_to(Path(root).resolve()).as_posix()
    return file
