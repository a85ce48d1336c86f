"""What is installed is what is in the tree, under one version, with the libraries that it needs."""

import re
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
SHIPPED = ("derivations", "models", "noiseproof", "numerics")


def shipped_files() -> list[str]:
    """Every file that belongs into the wheel."""
    files = (path for top in SHIPPED for path in ROOT.glob(f"{top}/**/*") if path.is_file())
    return sorted(str(path.relative_to(ROOT).as_posix()) for path in files if "__pycache__" not in path.parts)


def test_the_list_of_packages_equals_the_tree():
    folders = {file.rpartition("/")[0] for file in shipped_files() if file.endswith(".py")}
    assert PYPROJECT["tool"]["setuptools"]["packages"] == sorted(folder.replace("/", ".") for folder in folders)


def test_models_alone_has_no_init():
    """models/ lives beside a user's own models/ (tests/test_user_project.py); any other folder is a regular package."""
    folders = [ROOT / package.replace(".", "/") for package in PYPROJECT["tool"]["setuptools"]["packages"]]
    plain = [folder.relative_to(ROOT).as_posix() for folder in folders if not (folder / "__init__.py").exists()]
    assert plain == [folder for folder in plain if folder.split("/")[0] == "models"]
    assert "models" in plain


def test_the_wheel_holds_every_file_and_no_other(wheel):
    held = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert sorted(held) == shipped_files()


def test_the_wheel_brings_its_licences(wheel):
    held = {name.rpartition("/")[2] for name in zipfile.ZipFile(wheel).namelist() if "/licenses/" in name}
    assert held == {"LICENSE", "THIRD_PARTY.md"}


def test_the_source_distribution_is_enough_to_build_the_wheel(sdist):
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {*shipped_files(), "pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"} <= held


def test_there_is_one_version(wheel):
    """noiseproof/__init__.py says it; the metadata take it from there, without importing anything."""
    (said,) = re.findall(r'^__version__ = "(.+)"$', (ROOT / "noiseproof" / "__init__.py").read_text(), re.MULTILINE)
    assert "version" not in PROJECT
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    assert Parser().parsestr(archive.read(metadata).decode())["Version"] == said
    assert f"## {said}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def pins() -> dict[str, str]:
    """The versions in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def needed(*extras: str) -> list[Requirement]:
    """What the package and the given extras ask for, extras within extras included."""
    asked = [Requirement(line) for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    own = [r for r in asked if r.name == PROJECT["name"]]
    return [
        *(Requirement(line) for line in PROJECT["dependencies"]),
        *(r for r in asked if r.name != PROJECT["name"]),
        *(r for inner in own for r in needed(*sorted(inner.extras))),
    ]


@pytest.mark.parametrize("requirement", sorted({str(r) for r in needed("dev")}))
def test_what_ci_installs_is_pinned_and_allowed(requirement):
    asked = Requirement(requirement)
    if asked.name == "triton":  # torch with CUDA asks for one version of it, so that no pin holds on every machine
        assert "triton" not in pins()
        return
    pinned = pins()[canonicalize_name(asked.name)]
    assert asked.specifier.contains(pinned), f"constraints.txt has {asked.name}=={pinned}"


@pytest.mark.parametrize("library", ["matplotlib", "torch", "scikit-learn"])
def test_what_the_readme_draws_with_comes_with_what_it_installs(library):
    """README and `make verify` install the extra `test`; `sample --out ring.svg` draws, some figures train."""
    assert '-e ".[test]"' in (ROOT / "README.md").read_text(encoding="utf-8")
    assert '-e ".[test]"' in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert library in {canonicalize_name(r.name) for r in needed("test")}


def test_a_pin_holds_on_every_machine():
    local = {name: version for name, version in pins().items() if "+" in version}
    assert not local, f"a local version exists on one machine only: {local}"


def test_nothing_in_the_metadata_is_capped():
    """A library that forbids newer versions of others cannot be installed beside them."""
    asked = {str(r) for extra in PROJECT["optional-dependencies"] for r in needed(extra)}
    assert not [line for line in asked if re.search(r"<|==|~=", Requirement(line).specifier.__str__())]
