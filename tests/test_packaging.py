"""The package ships more than its modules: the schemas, and the marker that it is typed."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points, metadata, version
from importlib.resources import files
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import rnnshape
from rnnshape.document.data import FORMAT_VERSION
from tests.program import PYTHON, spawn
from tests.schemas import SCHEMAS
from tests.transcripts import ROOT

EXTRAS = (
    "py.typed",
    *(f"schemas/{name}-{FORMAT_VERSION}.json" for name in SCHEMAS),
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in a wheel that is built now."""
    folder = tmp_path_factory.mktemp("dist")
    words = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    result = spawn(*words, program=PYTHON, cwd=ROOT)
    assert result.code == 0, result.err
    (built,) = folder.glob("*.whl")
    with ZipFile(built) as archive:
        return archive.namelist()


@pytest.mark.parametrize("name", EXTRAS)
def test_the_installed_package_has_the_file(name: str) -> None:
    assert files("rnnshape").joinpath(name).is_file()


@pytest.mark.parametrize("name", EXTRAS)
def test_a_wheel_has_the_file(wheel: list[str], name: str) -> None:
    assert f"rnnshape/{name}" in wheel


def test_a_wheel_has_every_file_of_the_package_and_none_of_the_tests(wheel: list[str]) -> None:
    package = ROOT / "rnnshape"
    ours = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wheel if ".dist-info/" not in name} == ours


def test_the_version_is_said_once() -> None:
    assert version("rnnshape") == rnnshape.__version__


def test_the_command_is_the_entry_point() -> None:
    (script,) = entry_points(group="console_scripts", name="rnnshape")
    assert script.value == "rnnshape.__main__:entry"


def test_what_is_imported_at_run_time_is_a_dependency() -> None:
    declared = map(Requirement, metadata("rnnshape").get_all("Requires-Dist") or [])
    needed = {
        requirement.name
        for requirement in declared
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    toml = set() if sys.version_info >= (3, 11) else {"tomli"}
    assert needed == {"rich", "shellingham", "torch", "typer"} | toml


def test_every_public_name_can_be_imported() -> None:
    for name in rnnshape.__all__:
        assert getattr(rnnshape, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rnnshape.nothing  # noqa: B018
