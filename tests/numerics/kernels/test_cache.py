"""Compiled code is kept on disk, and never outlives the arithmetic that it was compiled from."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

PACKAGE = Path(__file__).parents[3] / "numerics"
CODE = """
import numpy as np
from numerics.kernels import numba_chain
z = np.empty((4, numba_chain.TOGETHER), np.float32)
numba_chain.fresh(z, *np.zeros(4, np.uint64))
print(z[0, 0], sum(numba_chain.fresh.stats.cache_hits.values()))
"""


def first_normal(folder):
    """What a chain draws first, in a new process, and how often compiled code was found on disk."""
    about = {"env": {"PYTHONPATH": str(folder)}, "cwd": folder, "capture_output": True, "text": True, "timeout": 120}
    ran = subprocess.run([sys.executable, "-c", CODE], **about)
    assert ran.returncode == 0, ran.stderr
    z, hits = ran.stdout.split()
    return float(z), int(hits)


@pytest.mark.slow
def test_a_chain_is_compiled_anew_when_the_normals_change_that_it_is_made_of(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "numerics", ignore=shutil.ignore_patterns("__pycache__"))
    normals = tmp_path / "numerics" / "kernels" / "numba_noise.py"
    before = normals.read_text(encoding="utf-8")
    z, hits = first_normal(tmp_path)
    assert not hits
    assert first_normal(tmp_path) == (z, 1)
    normals.write_text(before.replace("math.sqrt(F(-2) *", "math.sqrt(F(-8) *"), encoding="utf-8")
    assert first_normal(tmp_path) == (pytest.approx(2 * z, rel=1e-6), 0)
