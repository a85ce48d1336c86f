r"""From the formula of a step to a row of a table, whoever wrote the formula.

A step is affine in the state, in the predictions and in fresh noise, so that its coefficients are what it gives when
each of these in turn is 1 and the others are 0.  The rest are letters of the two levels between which it goes,

.. math:: \bar\alpha_t,\bar\alpha_s,\quad \alpha_{t|s}=\bar\alpha_t/\bar\alpha_s,\quad a=\sqrt{\bar\alpha},\quad
   \sigma=\sqrt{1-\bar\alpha},\quad \lambda=\log(a/\sigma),\quad h=\lambda_s-\lambda_t .

Formulas are written in the units in which they are shortest; rows are in those of the grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .grids import UNITS, Grid, Level
from .table import PREDICTION, STATE, Row, Sum, Table

Formula = Callable[..., Any]
Letters = dict[str, Any]

FRESH = "xi"  # stands beside the registers, for the noise that is drawn
NOISE = "e"  # likewise, for a predicted noise: it is affine in the state and the predicted x_0
SOMEWHERE = np.array([1.7, -2.6, 2.3, 1.4, -1.9, 2.8])  # values of the letters that a formula is linear in
HALF_THE_DIGITS = float(np.sqrt(np.finfo(float).eps))  # rounding takes fewer, and a power of a letter more
ASKS = {"x_t": STATE, "predicted_x_0": PREDICTION, "predicted_noise": NOISE, "fresh": FRESH}


def letters(t: Level, s: Level, *before: Level) -> Letters:
    """The letters of a jump from level t to level s, where variance is preserved; ``before`` are the levels before t.

    Where there is no noise left, or no signal yet, logarithms are infinite, and so is the step h.
    """
    bars = [np.float64(level.alpha_bar) for level in (s, t, *before)]
    with np.errstate(divide="ignore", invalid="ignore"):
        lambdas = [np.log(np.float64(level.scale) / np.float64(level.noise)) for level in (s, t, *before)]
        steps = [later - earlier for later, earlier in itertools.pairwise(lambdas)]
        of_steps = {name: steps[k + 1] / steps[0] for k, name in enumerate(("r", "r_prev")[: len(steps) - 1])}
    return {
        "alpha_bar": bars[1],
        "alpha_bar_s": bars[0],
        "alpha_ts": bars[1] / bars[0],
        "beta_ts": 1 - bars[1] / bars[0],
        "a_t": np.sqrt(bars[1]),
        "a_s": np.sqrt(bars[0]),
        "sigma_t": np.float64(t.noise / t.size),
        "sigma_s": np.float64(s.noise / s.size),
        "lambda_t": lambdas[1],
        "lambda_s": lambdas[0],
        "h": steps[0],
        **of_steps,
    }


def probed(formula: Formula, at: Mapping[str, Any], asks: Mapping[str, str]) -> dict[str, float]:
    """The coefficients of a formula that is linear in the letters that it ``asks`` for, by the registers behind them.

    Raises ValueError if something is left when all of them are zero, no sampler adds a constant, or if somewhere else
    the formula is not the sum of its parts.
    """
    values = np.resize(SOMEWHERE, len(asks))
    none, some = (dict(zip(asks, each, strict=True)) for each in (0 * values, values))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rest, whole = (float(formula(**{**at, **each})) for each in (none, some))
        found = {register: float(formula(**{**at, **none, letter: np.float64(1)})) for letter, register in asks.items()}
        parts = np.array(list(found.values())) * values
    if rest:
        raise ValueError(f"the step {formula!r} leaves {rest:g} where {', '.join(asks)} are zero; expected nothing")
    if abs(whole - np.sum(parts)) > HALF_THE_DIGITS * np.sum(np.abs(parts)):
        raise ValueError(f"the step {formula!r} is not linear in {', '.join(asks)}: the sum of its parts is another")
    return found


def without_noise(sum_: Sum, t: Level, units: str) -> dict[str, float]:
    """A sum in which a predicted noise is spelled (x - a p) / sigma, with x in these units."""
    sum_ = dict(sum_)
    if e := sum_.pop(NOISE, 0.0):
        sum_[STATE] = sum_.get(STATE, 0.0) + e * size(t, units) / t.noise
        sum_[PREDICTION] = sum_.get(PREDICTION, 0.0) - e * t.scale / t.noise
    return sum_


def step(
    formula: Formula,
    t: Level,
    s: Level,
    at: Letters | None = None,
    asks: Mapping[str, str] = ASKS,
    units: str = "vp",
    reached: int | None = None,
    remember: Mapping[str, Sum] | None = None,
    silent: bool = False,
) -> Row:
    """The row of a step from t to s by this formula of ``letters``, or of others (``at``), in these units.

    ``asks`` names the letters in which it is affine; those that it does not know change nothing.  ``remember`` are
    other registers and what they hold afterwards; ``silent`` is a step that asks no network.
    """
    sum_ = without_noise(probed(formula, letters(t, s) if at is None else at, asks), t, units)
    into, out_of = size(s, units), size(t, units)
    noise = into * sum_.pop(FRESH, 0.0)
    moved = {name: c * (into / out_of if name == STATE else into) for name, c in sum_.items() if c} or {STATE: 0.0}
    return Row(None if silent else t, {STATE: moved, **(remember or {})}, noise, reached)


def size(level: Level, units: str) -> float:
    """How long x is, in the units of the grid, where it has length 1 in these."""
    return float(UNITS[units](np.float64(level.scale), np.float64(level.noise)))


def chained(method: str, grid: Grid, rows: Callable[[int], Iterable[Row]], **more: Any) -> Table:
    """The table whose k-th step, from level k to level k + 1, has these rows."""
    return Table(method, grid, tuple(row for k in range(len(grid)) for row in rows(k)), **more)


# Steps along a slope, which itself is affine in the state and the prediction


def inserted(sum_: Sum, register: str, slope: Sum) -> dict[str, float]:
    """The sum with another sum in the place of a register."""
    c = sum_.get(register, 0.0)
    rest = {name: value for name, value in sum_.items() if name != register}
    return {name: rest.get(name, 0.0) + c * slope.get(name, 0.0) for name in {**rest, **slope}}


def in_grid(sum_: Sum, into: float, sizes: Mapping[str, float]) -> dict[str, float]:
    """A sum of registers that have length 1 in some units, in those of the grid; predictions have no length."""
    return {name: into * c / sizes.get(name, 1.0) for name, c in sum_.items() if c}
