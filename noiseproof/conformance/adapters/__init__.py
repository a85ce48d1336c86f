"""Adapters: how to run somebody's sampler, by the name under which it is imported.

``diffusers:DDIMScheduler`` and other libraries have an adapter each; ``noiseproof:ddim`` are ours; ``package.module:
name`` and ``path/to/file.py:name`` are a user's: an adapter, what ``from_step`` made, or a function or class of a call
shape that is known.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from ..protocol import Claims

# libraries, and the adapters that know them
LIBRARIES = {
    "noiseproof": ".ours",
    "diffusers": ".of_diffusers",
    "azula": ".of_azula",
    "flow_matching": ".of_flow_matching",
    "denoising_diffusion_pytorch": ".of_lucidrains",
}

# Call shapes of functions and classes: the names of the first parameters, or of methods.
FUNCTIONS = {("model", "x", "sigmas"): ".like_k_diffusion", ("net", "latents"): ".like_edm"}
CLASSES = {("p_sample_loop", "ddim_sample_loop", "q_sample"): ".like_guided_diffusion"}


def loaded(spec: str, options: dict[str, Any]) -> Any:
    """The adapter of a target.

    Raises ImportError or LookupError for what cannot be found, TypeError for what is no sampler, saying what it takes.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        raise LookupError(
            f"{spec!r} names no sampler; expected module:name or file.py:name, such as diffusers:DDIMScheduler"
        )
    library = place.partition(".")[0]
    if library in LIBRARIES:
        return adapter(library).adapted(name, options)
    found = named(place, name)
    if hasattr(found, "run") and (inspect.isclass(found) or hasattr(found, "claims")):
        made = found(**options) if inspect.isclass(found) else configured(found, options)
        if not hasattr(made, "claims"):
            raise TypeError(f"{name} of {place} has no claims; expected claims = noiseproof.Claims(name, family, ...)")
        return made
    if inspect.isclass(found):
        for methods, like in CLASSES.items():
            if all(hasattr(found, method) for method in methods):
                return importlib.import_module(like, __name__).adapted(found, options)
    elif callable(found):
        first = tuple(inspect.signature(found).parameters)
        for parameters, like in FUNCTIONS.items():
            if first[: len(parameters)] == parameters:
                return importlib.import_module(like, __name__).adapted(found, options)
    shapes = "; ".join(", ".join(shape) for shape in (*FUNCTIONS, *CLASSES))
    raise TypeError(
        f"{name} of {place} is {type(found).__name__}; expected an adapter (claims and run), "
        f"noiseproof.from_step(...), or a call shape that is known: {shapes}"
    )


def listed(library: str) -> list[tuple[str, dict[str, Any]]]:
    """All that a library has, and the options under which each is to be looked at, the first time none.

    Raises ImportError for a library that is not installed.
    """
    module = adapter(library)
    variants = getattr(module, "variants", lambda name: [])
    return [(name, options) for name in module.names() for options in ({}, *variants(name))]


def adapter(library: str) -> ModuleType:
    """The module that knows a library.  Raises ImportError for one that is not installed."""
    try:
        return importlib.import_module(LIBRARIES[library], __name__)
    except ModuleNotFoundError as missing:
        package = library.replace("_", "-") if library != "flow_matching" else library
        raise ImportError(f"{library} cannot be imported ({missing}): pip install {package}") from missing


def named(place: str, name: str) -> Any:
    """What has this name in a module or in a file."""
    found: Any = of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n in vars(found) if not n.startswith("_")]
            raise LookupError(f"{place} has no {name}; it has {', '.join(known[:20])}")
        found = getattr(found, part)
    return found


def of_file(path: Path) -> ModuleType:
    """The module in a file: as part of its package if it is in one, and otherwise as Python would run it."""
    path = path.resolve()
    if not path.is_file():
        raise LookupError(f"there is no file {path}")
    root, dotted = home(path)
    if dotted in sys.stdlib_module_names:
        importlib.import_module(dotted)  # which others mean by that name
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    if "." in dotted:
        return importlib.import_module(dotted.removesuffix(".__init__"))
    name = dotted if dotted not in sys.modules else f"target_{dotted}"  # it may be called as another module is
    if getattr(sys.modules.get(name), "__file__", None) == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def home(path: Path) -> tuple[Path, str]:
    """Where a file is imported from, and its name there."""
    root, dotted = path.parent, path.stem
    while (root / "__init__.py").is_file():
        root, dotted = root.parent, f"{root.name}.{dotted}"
    return root, dotted


def place_of(target: Any) -> str:
    """The name by which another process finds a function, a class or an object, file.py:name.

    Raises LookupError for what has none: a lambda, what was made in a function, an object that no module holds.
    """
    called = getattr(target, "__qualname__", None)
    written_in = getattr(getattr(target, "step", target), "__module__", None)  # others may have imported it
    for module in sorted(sys.modules.values(), key=lambda module: getattr(module, "__name__", "") != written_in):
        file, held = str(getattr(module, "__file__", "")), dict(getattr(module, "__dict__", {}))
        for name in [called] if called else [name for name, value in held.items() if value is target]:
            first, *more = name.split(".")
            found = reduce(lambda found, part: getattr(found, part, None), more, held.get(first))
            if found is target and file.endswith(".py"):
                return f"{Path(file).resolve()}:{name}"
    raise LookupError(
        f"{called or type(target).__name__} cannot be found by the process in which it is to run; give it a name at "
        "the top level of a file, `my_sampler = ...`, and pass my_sampler or 'path/to/file.py:my_sampler'"
    )


def parted(name: str, options: dict[str, Any], taken: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options that a sampler takes, and what is said of it: names of Claims that are none of its options.

    Raises TypeError for what is neither.
    """
    taken = list(taken)
    given = {key: value for key, value in options.items() if key in taken}
    said = {key: value for key, value in options.items() if key not in taken}
    claims = [field.name for field in fields(Claims) if field.name not in ("name", "off", "notes")]
    if strange := sorted(set(said) - set(claims)):
        takes = f"it takes {', '.join(taken)}" if taken else "it takes none"
        raise TypeError(f"{name} has no option {strange[0]}; {takes}; and what it claims: {', '.join(claims)}")
    return given, said


def one_of(name: str, value: Any, known: Iterable[str]) -> Any:
    """The value of an option, if it is known.  Raises ValueError, saying what there is."""
    known = list(known)
    if value not in known:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(known)}")
    return value


def configured(adapter: Any, options: dict[str, Any]) -> Any:
    """An adapter that is there already, with its options."""
    if options:
        raise TypeError(f"{adapter.claims.name} takes no options, and {', '.join(options)} was given")
    return adapter


@contextmanager
def instead(place: Any, **replacements: Any) -> Iterator[None]:
    """Attributes of a module or object replaced for a while: where a library draws its noise."""
    before = {name: getattr(place, name) for name in replacements}
    for name, replacement in replacements.items():
        setattr(place, name, replacement)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(place, name, value)


def hooked(noise: Callable[..., Any]) -> Any:
    """torch.randn_like gives what ``noise`` gives, for libraries that draw there."""
    import torch

    return instead(torch, randn_like=lambda x, **_: noise(x.shape).to(x.dtype))


def denoiser(model: Callable[..., Any]) -> Callable[..., Any]:
    """The network as a function of x and sigma: what it is told is where the sampler holds itself to be."""

    def denoised(x: Any, sigma: Any, *_: Any, **__: Any) -> Any:
        at = sigma.flatten()[0] if hasattr(sigma, "flatten") else sigma
        return model(x, sigma, (1.0, float(at)))

    return denoised


def generated(seed: int, x: Any) -> Callable[..., Any]:
    """Normals like x from a generator of their own."""
    if hasattr(x, "detach"):
        import torch

        torch_rng = torch.Generator().manual_seed(seed)
        return lambda shape, *between: torch.randn(tuple(shape), generator=torch_rng, dtype=x.dtype)
    import numpy as np

    rng = np.random.default_rng(seed)
    return lambda shape, *between: rng.standard_normal(tuple(shape)).astype(x.dtype)


def global_state(library: str) -> bytes:
    """The state of the global generator that a sampler has no business to touch when it was given one."""
    import numpy as np

    state = repr(np.random.get_state()).encode()  # noqa: NPY002  it is the one that must not be touched
    if library == "torch":
        import torch

        state += torch.get_rng_state().numpy().tobytes()
    return state
