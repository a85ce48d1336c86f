"""The samplers of the peers: nothing fails that docs/findings/xfail.txt does not name.

Of diffusers all schedulers with their default options; with all their options it takes minutes more:
``noiseproof check diffusers: --xfail docs/findings/xfail.txt``, by hand.  Of azula and flow_matching everything.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:diffusers", "ignore::DeprecationWarning:numpy")
ROOT = Path(__file__).parents[3]
KNOWN = ROOT / "docs" / "findings" / "xfail.txt"
WRITTEN_FOR = {"diffusers": "0.42.1", "azula": "0.11.1", "flow_matching": "1.0.10"}


def targets(library: str) -> list[str]:
    """All of a library; of diffusers those of which something is known, and whose needs are installed."""
    if library != "diffusers":
        return [f"{library}:"]
    diffusers = pytest.importorskip(library)
    claims = pytest.importorskip("noiseproof.conformance.adapters.diffusers_claims")

    def there(name: str) -> bool:
        try:
            claims.read(getattr(diffusers, name), {})
        except (AttributeError, ImportError):
            return False
        return True

    return [f"{library}:{name}" for name in claims.CLAIMED if there(name)]


@pytest.mark.slow
@pytest.mark.parametrize("library", WRITTEN_FOR)
def test_nothing_fails_that_is_not_known(library, tmp_path):
    pytest.importorskip(library)
    if version(library) != WRITTEN_FOR[library]:
        pytest.skip(f"the known failures are those of {library} {WRITTEN_FOR[library]}")
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    plain = [line for line in lines if line.startswith(f"{library}:") and "[" not in line.split("  ")[0]]
    known = tmp_path / "xfail.txt"
    known.write_text("\n".join(plain), encoding="utf-8")
    # The limit of time is for what hangs; here four processes may share two slow cores.
    given = ["--xfail", str(known), "--workers", "2", "--timeout", "120"]
    command = [sys.executable, "-m", "noiseproof", "check", *targets(library), *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
