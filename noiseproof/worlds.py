"""Worlds by name, and mixtures that a user wrote down in a TOML file, such as EXAMPLE."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .faults import Fault, nearest

if TYPE_CHECKING:
    from numerics.worlds import Mixture

EXAMPLE = """\
weights = [0.3, 0.7]         # left out: all equal
means = [[-1, 0], [2, 1]]    # two components in the plane; on the line [-1, 2]
variances = [0.1, 0.4]       # along every axis; one number for all will do
# or covariances = [[[0.1, 0.0], [0.0, 0.2]], [[0.4, 0.1], [0.1, 0.4]]]
"""
KEYS = ("weights", "means", "variances", "covariances")


class NoWorld(Fault, ValueError):
    """A world that there is not, or a file that describes none."""


def gaussian() -> Mixture:
    """One Gaussian on the line, N(0.8, 0.36)."""
    from numerics import worlds

    return worlds.gaussian(0.8, 0.36)


def bimodal() -> Mixture:
    """Two clusters on the line, a wide one and a narrow one."""
    from numerics import worlds

    return worlds.mixture([0.35, 0.65], [-1.6, 1.1], [0.04, 0.16])


def ring() -> Mixture:
    """Eight clusters on a circle of radius 2, in the plane."""
    import numpy as np

    from numerics import worlds

    angles = np.arange(8) * np.pi / 4
    return worlds.mixture(np.full(8, 1 / 8), 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.02)


def crossing() -> Mixture:
    """Three long clusters across each other, in the plane."""
    from numerics import worlds

    along = [[[0.9, 0.8], [0.8, 0.9]], [[0.9, -0.8], [-0.8, 0.9]], [[0.05, 0.0], [0.0, 0.3]]]
    return worlds.mixture([0.4, 0.4, 0.2], [[-0.6, 0.0], [0.6, 0.0], [0.0, 2.2]], along)


def point() -> Mixture:
    """Data that are always 1.3."""
    from numerics import worlds

    return worlds.point(1.3)


def digits() -> Mixture:
    """The 1,797 handwritten digits of 8 by 8 pixels, each equally likely; needs scikit-learn."""
    from numerics import worlds
    from numerics.worlds.digits import digits as images

    return worlds.empirical(images())


WORLDS: dict[str, Callable[[], Mixture]] = {
    "point": point,
    "gaussian": gaussian,
    "bimodal": bimodal,
    "ring": ring,
    "crossing": crossing,
    "digits": digits,
}


def world(name: str) -> Mixture:
    """The world of this name, or that of a file ``name.toml``.  Raises NoWorld."""
    if (said := given(name)) is not None:
        return read(name, said)
    if name not in WORLDS:
        raise NoWorld(f"there is no world called {name!r}; {nearest(name, WORLDS, ', and files in TOML: MINE.toml')}")
    try:
        return WORLDS[name]()
    except ImportError as error:
        raise NoWorld(str(error)) from error


def given(name: str) -> dict[str, Any] | None:
    """What a file ``name.toml`` says, None for a world that has a name.  Raises NoWorld."""
    if not name.endswith(".toml"):
        return None
    try:
        return tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise NoWorld(f"cannot read {name}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NoWorld(f"{name} is no TOML: {error}") from error


def read(name: str, said: dict[str, Any]) -> Mixture:
    """The mixture that a file describes.  Raises NoWorld with the key that is wrong."""
    try:
        return described(said)
    except ValueError as error:
        raise NoWorld(f"{name}: {error}") from error


def described(given: dict[str, Any]) -> Mixture:
    """The mixture with these weights, means and variances or covariances.  Raises ValueError naming the key."""
    from numerics import inputs, worlds

    if strange := sorted(set(given) - set(KEYS)):
        raise ValueError(f"the key {strange[0]} means nothing here; the keys are {', '.join(KEYS)}")
    if "means" not in given:
        raise ValueError("the key means is missing: a number for each component, or a list of d numbers")
    if "variances" in given and "covariances" in given:
        raise ValueError("expected one of the keys variances and covariances, and not both")
    if "variances" not in given and "covariances" not in given:
        raise ValueError("one of the keys variances and covariances is missing: a number, or one for each component")
    means = inputs.finite("means", given["means"])
    if means.ndim not in (1, 2) or 0 in means.shape:
        raise ValueError(f"means has shape {means.shape}; expected (K,) in one dimension, or (K, d)")
    count = len(means)
    key = "variances" if "variances" in given else "covariances"
    spread = inputs.finite(key, given[key])
    if key == "variances":
        inputs.positive(key, spread)
        if spread.shape not in ((), (count,)):
            raise ValueError(f"variances has shape {spread.shape}; expected one number, or {count}, one for each mean")
    elif means.ndim == 1:
        raise ValueError("covariances are for means with d numbers each; in one dimension write variances")
    weights = inputs.finite("weights", given.get("weights", [1 / count] * count))
    if weights.shape != (count,):
        raise ValueError(f"weights has shape {weights.shape}; expected ({count},), one for each mean")
    return worlds.mixture(weights, means, spread)
