"""What all tests share: how Hypothesis searches, how many threads a worker may use, and the package as others get it.

Hypothesis draws the parameters of deterministic statements, the same ones in every run.  It never draws the seed of a
statistical statement, for it would look for the unlucky one.  ``pytest --hypothesis-profile=search`` looks further, and
elsewhere each time.
"""

import gc
import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before NumPy is loaded: several processes with as many threads each as there are cores slow each other down.
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

gc.set_threshold(50_000)  # as the command line does: SymPy makes many small objects and few circles of them

settings.register_profile("steady", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("search", derandomize=False, database=None, deadline=None, print_blob=True, max_examples=2000)
settings.load_profile("steady")


def build(kind: str, folder: Path) -> Path:
    """Build a wheel (kind "wheel", "editable") or an "sdist" from a copy of the tree, without network."""
    pytest.importorskip("setuptools", minversion="77")
    tree, out = folder / "tree", folder / "out"
    left_behind = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, tree, ignore=left_behind)
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel that `pip install noiseproof` would unpack."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def editable(tmp_path_factory) -> Path:
    """The wheel that `pip install -e .` would unpack: it points to a tree (a copy of this one)."""
    return build("editable", tmp_path_factory.mktemp("editable"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    """The source distribution."""
    return build("sdist", tmp_path_factory.mktemp("sdist"))
