"""A file can be read in one sitting, and the trusted kernel in an afternoon."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("derivations", "numerics", "models", "noiseproof", "tests", "benchmarks", "docs")
ONE_SITTING = 420  # lines: about 400
KERNEL = 2000  # lines of code; the decision 0005 says what is counted


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_file_can_be_read_in_one_sitting(folder):
    lengths = {str(path.relative_to(ROOT)): length(path) for path in ROOT.glob(f"{folder}/**/*.py")}
    long = {name: lines for name, lines in lengths.items() if lines > ONE_SITTING}
    assert not long, f"longer than {ONE_SITTING} lines; give the parts a name and a file each: {long}"


def code(path: Path) -> int:
    """Lines that say something to the machine: neither blank, nor comment, nor docstring."""
    text = path.read_text(encoding="utf-8")
    prose: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            prose |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(n not in prose and bool(line.strip()) and not line.strip().startswith("#") for n, line in lines)


def test_the_kernel_stays_small():
    lines = {path.name: code(path) for path in sorted((ROOT / "derivations" / "calculus").glob("**/*.py"))}
    assert lines, "derivations/calculus is gone"
    assert sum(lines.values()) < KERNEL, f"the kernel has {sum(lines.values())} lines of code: {lines}"
