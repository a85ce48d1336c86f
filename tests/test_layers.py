"""Imports run one way: derivations <- numerics.compiled <- solvers.methods <- models, and everything <- noiseproof.

An oracle that shares its source with what it judges is no oracle.  So the imports of every file are read (not run) and
held to the tables below; violations of each are planted, and must be found.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("derivations", "numerics", "models", "noiseproof", "benchmarks", "tests", "docs")

# Which of ours a part may import; the longest name that fits decides.
MAY_IMPORT = {
    "derivations": {"derivations"},
    "derivations.calculus": {"derivations.calculus"},  # the kernel knows no page and no claim
    "numerics": {"numerics"},
    "numerics.compiled": {"numerics", "derivations"},
    "models": {"models", "numerics"},  # a model is handed the formula, as a check is
    "noiseproof": {"noiseproof", "models", "numerics", "derivations"},
    "noiseproof.conformance": {"noiseproof", "numerics", "derivations"},  # where a user's own models/ may be loaded
    "benchmarks": {"benchmarks", "noiseproof", "models", "numerics", "derivations"},
}

# The parts of numerics that may know, by however many steps, where a formula comes from.  All else there is oracle.
COMPILED = ("numerics.compiled", "numerics.solvers.methods")

# What may be imported from others when a module is loaded; anything else has to wait until it is asked for.
AT_LOADING = {
    "derivations": {"sympy", "mpmath"},
    "derivations.rendering.terminal": {"sympy", "mpmath", "rich"},
    "derivations.calculus.witness": {"sympy", "mpmath", "numpy"},  # and its arithmetic; the rules never see a number
    "derivations.calculus.witness_values": {"sympy", "mpmath", "numpy"},
    "numerics": {"numpy", "scipy", "hypothesis", "array_api_compat"},
    "numerics.compiled": {"numpy", "scipy", "sympy", "mpmath"},
    "numerics.kernels": {"numpy", "scipy", "array_api_compat", "torch", "numba", "triton"},
    "models": {"numpy", "scipy", "torch", "sklearn"},
    "noiseproof": {"numpy", "scipy", "sympy", "mpmath", "click", "rich"},
    "noiseproof.conformance.adapters": {
        "numpy",
        "torch",
        "diffusers",
        "azula",
        "flow_matching",
        "denoising_diffusion_pytorch",
    },
}

# Where these may be met at all when a module is loaded, by however many steps.
HEAVY = {"torch", "numba", "triton"}
HEAVY_AT_HOME = ("models", "numerics.kernels", "noiseproof.conformance.adapters", "benchmarks", "tests", "docs")

BY_NAME = ("import_module", "__import__")  # functions that import what they are told


@dataclass(frozen=True)
class Import:
    """One name that a module imports: ``name`` is as long as it is a module of ours, else the library's."""

    module: str
    name: str
    place: str
    at_loading: bool
    relative: bool


def within(name: str, *parts: str) -> bool:
    """Whether name is one of the parts or lies inside one."""
    return any(name == part or name.startswith(part + ".") for part in parts)


def decided_by(table: dict[str, set[str]], module: str) -> set[str] | None:
    """What the longest name of the table that fits says about the module."""
    fitting = [part for part in table if within(module, part)]
    return table[max(fitting, key=len)] if fitting else None


def modules(root: Path) -> dict[str, Path]:
    """Every module of ours by its name."""
    files = (path for top in OURS for path in sorted(root.glob(f"{top}/**/*.py")))
    named = ((path.relative_to(root).with_suffix("").parts, path) for path in files)
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for parts, path in named}


def statements(tree: ast.AST, at_loading: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs when the module is loaded."""
    for node in ast.iter_child_nodes(tree):
        yield node, at_loading
        called_later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        yield from statements(node, at_loading and not (called_later or for_types))


def names(node: ast.AST, module: str, is_package: bool) -> list[str]:
    """The full names that a node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = module.split(".")
        above = parts[: len(parts) - node.level + is_package] if node.level else []
        source = ".".join([*above, *filter(None, [node.module])])
        # `from . import __version__` asks for a constant, not for what the package is made of.
        return [f"{source}.{alias.name}" for alias in node.names if alias.name != "__version__"]
    if isinstance(node, ast.Call) and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in BY_NAME:
        asked = [str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant)]
        return [name for name in asked if not name.startswith(".")]
    return []


@cache
def imports(root: Path) -> list[Import]:
    """Every import in the tree."""
    known, found = modules(root), []
    for module, path in known.items():
        is_package = path.name == "__init__.py"
        for node, at_loading in statements(ast.parse(path.read_text(encoding="utf-8"))):
            for name in names(node, module, is_package):
                stems = [stem for stem in accumulate(name.split("."), "{}.{}".format) if stem in known]
                name = stems[-1] if stems else name
                place = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
                found.append(Import(module, name, place, at_loading, getattr(node, "level", 0) > 0))
    return found


def reached(start: str, found: list[Import], at_loading_only: bool) -> dict[str, str]:
    """All that start imports, by however many steps, with the way there.  To import a.b is to load a as well."""
    onward: dict[str, list[str]] = {}
    for i in found:
        if i.at_loading or not at_loading_only:
            onward.setdefault(i.module, []).append(i.name)
    ways, open_ends = {start: start}, [start]
    while open_ends:
        here = open_ends.pop()
        packages = accumulate(here.split(".")[:-1], "{}.{}".format)
        for there in [*packages, *onward.get(here, [])]:
            if there not in ways:
                ways[there] = f"{ways[here]} -> {there}"
                open_ends.append(there)
    return ways


# ---------------------------------------------------------------- the sentences


def wrong_way(root: Path) -> Iterator[str]:
    """Imports against the direction, or of one's own package by its full name."""
    for i in imports(root):
        allowed = decided_by(MAY_IMPORT, i.module)
        if allowed is None or not within(i.name, *OURS):
            continue
        top = i.module.split(".")[0]
        if within(i.name, top) and top != "benchmarks" and not i.relative:
            yield f"{i.place}: {i.module} imports {i.name} by its full name; inside a package imports are relative"
        if not within(i.name, *allowed):
            yield f"{i.place}: {i.module} may not import {i.name}; of ours it may import {', '.join(sorted(allowed))}"


def shared_sources(root: Path) -> Iterator[str]:
    """Oracles that know, by some way, the formulas that they are to judge."""
    found = imports(root)
    for module in modules(root):
        if within(module, "numerics") and not within(module, *COMPILED):
            for name, way in reached(module, found, at_loading_only=False).items():
                if within(name, "derivations", *COMPILED):
                    yield f"{module} shares its source with what it judges: {way}"


def strangers(root: Path) -> Iterator[str]:
    """Libraries imported by a module that has no need of them, or too early."""
    for i in imports(root):
        library, allowed = i.name.split(".")[0], decided_by(AT_LOADING, i.module)
        if allowed is None or library in allowed or library in sys.stdlib_module_names or library in OURS:
            continue
        if within(i.module, "derivations"):
            yield f"{i.place}: {i.module} may not import {library}; it may import {', '.join(sorted(allowed))}"
        elif i.at_loading:
            yield f"{i.place}: {i.module} imports {library} when it is loaded; import it in the function that needs it"


def heavy_at_loading(root: Path) -> Iterator[str]:
    """Modules outside kernels, models and adapters that load torch, numba or triton before anybody asks."""
    found = imports(root)
    for module in modules(root):
        if not within(module, *HEAVY_AT_HOME):
            for name, way in reached(module, found, at_loading_only=True).items():
                if within(name, *HEAVY):
                    yield f"{module} loads {name.split('.')[0]} before anybody asks for it: {way}"


def cycles(root: Path) -> Iterator[str]:
    """Modules that import each other, at loading or later."""
    known, onward = modules(root), {}
    for i in imports(root):
        if i.name in known and i.name != i.module:
            onward.setdefault(i.module, set()).add(i.name)
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> Iterator[str]:
        if module in trail:
            yield " -> ".join([*trail[trail.index(module) :], module])
        elif module not in done:
            for there in sorted(onward.get(module, ())):
                yield from visit(there, (*trail, module))
            done.add(module)

    for module in known:
        yield from visit(module, ())


SENTENCES = [wrong_way, shared_sources, strangers, heavy_at_loading, cycles]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_tree_keeps_its_layers(sentence):
    found = list(sentence(ROOT))
    assert not found, "\n".join(found)


# ---------------------------------------------------------------- each sentence can be broken

PLANTED = [
    (wrong_way, "derivations.bayes may not import numerics.worlds", {"derivations/bayes.py": "import numerics.worlds"}),
    (wrong_way, "may not import derivations.claim", {"derivations/calculus/steps.py": "from ..claim import Claim"}),
    (wrong_way, "may not import noiseproof.verify", {"numerics/worlds.py": "from noiseproof import verify"}),
    (wrong_way, "may not import models.toy", {"numerics/schedules.py": "def f():\n    import models.toy"}),
    (wrong_way, "may not import derivations.claim", {"numerics/solvers/a.py": "from derivations.claim import Claim"}),
    (wrong_way, "may not import derivations.claim", {"models/denoiser.py": "from derivations import claim"}),
    (wrong_way, "noiseproof.cli may not import tests.test_a", {"noiseproof/cli.py": "import tests.test_a"}),
    (wrong_way, "may not import models", {"noiseproof/conformance/probe.py": "import models"}),
    (wrong_way, "inside a package imports are relative", {"numerics/a.py": "from numerics.compiled import table"}),
    (
        shared_sources,
        "numerics.checks.bayes -> numerics.worlds -> numerics.solvers.methods",
        {
            "numerics/checks/bayes.py": "from .. import worlds",
            "numerics/worlds.py": "def f():\n    from .solvers import methods",
        },
    ),
    (shared_sources, "law -> numerics.compiled", {"numerics/statistics/law.py": "from ..compiled import f"}),
    (
        shared_sources,
        "numerics.checks.chains -> numerics.kernels -> numerics.solvers.methods",
        {
            "numerics/checks/chains.py": "from .. import kernels",
            "numerics/kernels/__init__.py": "def f():\n    from ..solvers import methods",
        },
    ),
    (shared_sources, "numerics.worlds", {"numerics/worlds.py": "", "numerics/__init__.py": "from . import compiled"}),
    (strangers, "may not import numpy", {"derivations/bayes.py": "def f():\n    import numpy as np"}),
    (strangers, "may not import numpy", {"derivations/calculus/rules.py": "import numpy.linalg"}),
    (strangers, "may not import scipy", {"derivations/calculus/witness.py": "import scipy"}),
    (strangers, "may not import torch", {"derivations/bayes.py": "import importlib\nimportlib.import_module('torch')"}),
    (strangers, "imports sympy when it is loaded", {"numerics/worlds.py": "import sympy"}),
    (strangers, "imports torch when it is loaded", {"numerics/solvers/loop.py": "class A:\n    import torch"}),
    (strangers, "imports diffusers", {"noiseproof/cli.py": "try:\n    import diffusers\nexcept ImportError: pass"}),
    (
        heavy_at_loading,
        "noiseproof.cli -> models.toy -> torch.nn",
        {"noiseproof/cli.py": "import models.toy", "models/toy.py": "from torch import nn"},
    ),
    (
        heavy_at_loading,
        "numerics.solvers.loop -> numerics.kernels.fast -> numba",
        {"numerics/solvers/loop.py": "from ..kernels import fast", "numerics/kernels/fast.py": "import numba"},
    ),
    (
        cycles,
        "numerics.a -> numerics.b -> numerics.a",
        {"numerics/a.py": "from . import b", "numerics/b.py": "def f():\n    from .a import x"},
    ),
    (
        cycles,
        "noiseproof -> noiseproof.cli -> noiseproof",
        {"noiseproof/__init__.py": "from .cli import main", "noiseproof/cli.py": "import noiseproof"},
    ),
]
BESIDE = (
    "derivations/claim.py",
    "numerics/compiled.py",
    "numerics/solvers/methods.py",
    "models/toy.py",
    "tests/test_a.py",
)


@pytest.mark.parametrize(("sentence", "message", "files"), PLANTED, ids=[f"{s.__name__}: {m}" for s, m, _ in PLANTED])
def test_a_planted_violation_is_found(sentence, message, files, tmp_path):
    plant(tmp_path, dict.fromkeys(BESIDE, "") | files)
    assert any(message in line for line in sentence(tmp_path)), list(sentence(tmp_path))


def test_what_is_allowed_is_not_found(tmp_path):
    plant(
        tmp_path,
        {
            "derivations/calculus/witness.py": "import numpy as np\nimport mpmath\nfrom . import notation",
            "derivations/calculus/notation.py": "import sympy",
            "derivations/__init__.py": "from .claim import Claim",
            "derivations/claim.py": "from .calculus import notation",
            "numerics/compiled.py": "from derivations.claim import Claim\nimport sympy",
            "numerics/solvers/methods.py": "from ..compiled import table\ndef f():\n    import torch",
            "numerics/checks/bayes.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
            "numerics/kernels/__init__.py": "def f():\n    from . import fused",
            "numerics/kernels/fused.py": "import numba",
            "numerics/checks/chains.py": "from .. import kernels",
            "models/toy.py": "import torch\nfrom numerics.solvers import methods",
            "noiseproof/__init__.py": "__version__ = '1'\nfrom .cli import main",
            "noiseproof/cli.py": "import click\nfrom . import __version__\ndef f():\n    import models.toy, torch",
        },
    )
    assert [line for sentence in SENTENCES for line in sentence(tmp_path)] == []


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


# ---------------------------------------------------------------- the same, running


def test_the_oracles_load_without_what_they_judge():
    """Loaded in a fresh interpreter, the oracles bring neither SymPy nor derivations, and no torch.

    The kernels that are written in torch, numba or triton are left out: they load it, and only they.
    """
    found = imports(ROOT)
    heavy = {m for m in modules(ROOT) if any(within(name, *HEAVY) for name in reached(m, found, at_loading_only=True))}
    oracles = [m for m in modules(ROOT) if within(m, "numerics") and not within(m, *COMPILED) and m not in heavy]
    assert "numerics.kernels" in oracles
    code = f"""
import importlib, sys
for oracle in {oracles}: importlib.import_module(oracle)
print(*sorted({{"sympy", "derivations", "numerics.compiled", "torch", "numba"}} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [], f"loading {', '.join(oracles)} also loads {ran.stdout}"
