"""All schedulers of diffusers with their default options: nothing fails that docs/findings/xfail.txt does not name.

With all their options it takes minutes more: ``noiseproof check diffusers: --xfail docs/findings/xfail.txt``, by hand.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

diffusers = pytest.importorskip("diffusers")
claims = pytest.importorskip("noiseproof.conformance.adapters.diffusers_claims")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:diffusers", "ignore::DeprecationWarning:numpy")
ROOT = Path(__file__).parents[3]


def there(name: str) -> bool:
    """Whether this version has a scheduler, and what it needs is installed."""
    try:
        claims.read(getattr(diffusers, name), {})
    except (AttributeError, ImportError):
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(diffusers.__version__ != "0.42.1", reason="the file of known failures was written for 0.42.1")
def test_nothing_of_diffusers_fails_that_is_not_known(tmp_path):
    known = (ROOT / "docs" / "findings" / "xfail.txt").read_text(encoding="utf-8").splitlines()
    defaults = tmp_path / "xfail.txt"
    defaults.write_text("\n".join(line for line in known if "[" not in line.split("  ")[0]), encoding="utf-8")
    targets = [f"diffusers:{name}" for name in claims.CLAIMED if there(name)]
    command = [sys.executable, "-m", "noiseproof", "check", *targets, "--xfail", str(defaults), "--workers", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
