"""What a GitHub Actions workflow gets besides stdout: annotations and a summary."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from rnnshape.cli.streams import write_stderr
from rnnshape.document.model import Document, Verdict


def annotate(document: Document) -> None:
    """Write annotations of the failures to stderr, where the runner reads them too.

    stdout is the same wherever the command runs.
    """
    if _in_workflow():
        from rnnshape.render.github import render_annotations

        write_stderr(render_annotations(in_repository(document)))


def summarise(document: Document, title: str) -> None:
    """Append the document to the summary of the job, or note on stderr why that failed."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path or not _in_workflow():
        return
    from rnnshape.render.markdown import render_markdown

    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"### {title}\n\n{render_markdown(document)}\n")
    except OSError as error:
        write_stderr(f"note: no summary in {path}: {error.strerror or error}\n")


def in_repository(document: Document) -> Document:
    """The document with its files relative to the root of the repository, as the runner needs."""
    return replace(document, verdicts=lambda: [_placed(each) for each in document.verdicts()])


def _in_workflow() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _placed(verdict: Verdict) -> Verdict:
    if verdict.place is None:
        return verdict
    return replace(verdict, place=replace(verdict.place, file=_from_root(verdict.place.file)))


def _from_root(file: str) -> str:
    """The path relative to the root of the repository, or unchanged if it is not inside."""
    root = os.environ.get("GITHUB_WORKSPACE")
    if not root:
        return file
    try:  # unlike Path.resolve(), realpath() does not raise for a loop of links
        return Path(os.path.realpath(file)).relative_to(os.path.realpath(root)).as_posix()
    except (OSError, ValueError):
        return file
