"""A project of somebody's own, with a folder models/ as half of all such projects have, works beside ours.

Our models/ has no __init__.py: Python then merges it with the user's folder, or gives way to it.  Tried for ours as a
wheel, as an editable installation and as a checkout on the path, theirs with and without __init__.py, and both of
pytest's import modes.
"""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = sorted(path.stem for path in ROOT.glob("models/*.py"))

THEIR_TEST = """
import importlib.util
import models.mine
import noiseproof, numerics.schedules

def test_mine():
    assert models.mine.WHOSE == "the user"

def test_a_file_of_the_same_name_is_the_users():
    from models import {same}
    assert {same}.WHOSE == "the user"

def test_ours_is_beside_a_plain_folder():
    assert {regular} or importlib.util.find_spec("models.{other}") is not None
"""


def user_project(folder: Path, regular: bool) -> Path:
    """A small project with its own models/, a regular package or a plain folder."""
    same, other, *_ = OURS
    theirs = "WHOSE = 'the user'"
    files = {
        "pytest.ini": "[pytest]\npythonpath = .\n",
        "models/mine.py": theirs,
        f"models/{same}.py": theirs,
        "tests/test_mine.py": THEIR_TEST.format(same=same, other=other, regular=regular),
    }
    if regular:
        files["models/__init__.py"] = ""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def environment(folder: Path, installed: Path | None = None) -> Path:
    """The interpreter of a fresh environment that sees the libraries of this one, and a wheel unpacked into it."""
    venv.create(folder, symlinks=os.name != "nt")
    where = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", where))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if installed is not None:
        zipfile.ZipFile(installed).extractall(site)
    return Path(sysconfig.get_path("scripts", "venv", where)) / Path(sys.executable).name


def pytest_in(project: Path, python: Path, mode: str, on_the_path: Path | None = None) -> subprocess.CompletedProcess:
    """What their `pytest` says."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    if on_the_path is not None:
        variables["PYTHONPATH"] = str(on_the_path)
    command = [python, "-m", "pytest", f"--import-mode={mode}", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="session", params=[pytest.param("wheel", marks=pytest.mark.slow), "editable", "checkout"])
def installation(request, tmp_path_factory) -> tuple[Path, Path | None]:
    """An interpreter that has ours, and what has to be on its path for that."""
    folder = tmp_path_factory.mktemp("environment") / "environment"
    if request.param == "checkout":
        return environment(folder), ROOT
    return environment(folder, request.getfixturevalue(request.param)), None


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("regular", [True, False], ids=["with-init", "without-init"])
def test_a_project_with_its_own_models_works_beside_ours(installation, regular, mode, tmp_path):
    python, on_the_path = installation
    ran = pytest_in(user_project(tmp_path, regular), python, mode, on_the_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


def test_with_an_init_of_ours_theirs_would_break(tmp_path):
    """Why our models/ has none; and a proof that the test above can fail."""
    (tmp_path / "ours" / "models").mkdir(parents=True)
    (tmp_path / "ours" / "models" / "__init__.py").touch()
    project = user_project(tmp_path / "theirs", regular=False)
    ran = pytest_in(project, environment(tmp_path / "environment"), "importlib", tmp_path / "ours")
    assert ran.returncode != 0
    assert "No module named 'models.mine'" in ran.stdout
