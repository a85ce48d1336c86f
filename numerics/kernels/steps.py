r"""A whole chain on an exact world as three flat arrays: all that a kernel needs that runs it without looking back.

On a mixture of :math:`w_k\,\mathcal N(m_k,v_kI)` the best prediction of the data from :math:`x=a\,x_0+b\,\epsilon` is

.. math:: p=\sum_k r_k\,(A_k\,x+B_k\,m_k),\qquad r_k\propto\exp\bigl(\ell_k-h_k\,|x-a\,m_k|^2\bigr),

.. math:: s_k=a^2v_k+b^2,\quad A_k=\frac{a v_k}{s_k},\quad B_k=\frac{b^2}{s_k},\quad h_k=\frac1{2s_k},\quad
   \ell_k=\log w_k-\frac d2\log s_k,

and a row of the table makes of it, with the prediction q of the row before,

.. math:: x\leftarrow\alpha\,x+\beta\,p+\gamma\,q+c\,\xi,\qquad q\leftarrow p.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..solvers.table import PREDICTION, STATE, Row, Table
from ..worlds import Mixture

OF_X, OF_P, OF_HELD, NOISE, SCALE = range(5)  # the columns of rows: alpha, beta, gamma, c and a
LOG, HALF, PULL_X, PULL_MEAN = range(4)  # the columns of terms: l_k, -h_k, A_k and B_k

ELSEWHERE = "run it row by row: kernels.run(table, denoiser(world), x)"


@dataclass(frozen=True, eq=False)
class Steps:
    """T rows and K components in d dimensions, computed in double precision and rounded once.

    The largest l_k of a row is 0, and components without weight are left out.  A row without noise at its level holds
    p = x / a, and one that asks for no prediction p = 0.
    """

    rows: NDArray[Any]  # (T, 5)
    terms: NDArray[Any]  # (T, K, 4)
    means: NDArray[Any]  # (K, d)

    @property
    def remembers(self) -> bool:
        """Whether a row looks at the prediction of the row before."""
        return bool(np.any(self.rows[:, OF_HELD]))

    @property
    def stochastic(self) -> bool:
        """Whether fresh noise is drawn."""
        return bool(np.any(self.rows[:, NOISE]))

    @classmethod
    def of(cls, table: Table, world: Mixture, dtype: DTypeLike = np.float32) -> Steps:
        """The chain of a sampler on a world.

        Raises ValueError if a component of the world is not isotropic, the world is a batch, or the table holds more
        than the state and the last prediction of x_0.
        """
        variances = _variances(world)
        kept = world.weights > 0
        logs, variances = np.log(world.weights[kept]), np.broadcast_to(variances, world.weights.shape)[kept]
        means = (world.centres + world.shift)[kept]
        rows = np.array(list(_rows(table)))
        terms = np.array([_terms(row, logs, variances, means.shape[-1]) for row in table.rows])
        return cls(*(np.ascontiguousarray(part, dtype=dtype) for part in (rows, terms, means)))


def _variances(world: Mixture) -> NDArray[np.float64]:
    """v_k, (K,) or (1,).  Equal variances along all axes are isotropic, however the axes are turned."""
    if world.batch:
        raise ValueError(f"the world is a batch of laws, {world.batch}; expected one law: {ELSEWHERE}")
    spectra = world.spread.spectra
    if np.any(spectra != spectra[:, :1]):
        k = int(np.flatnonzero(np.any(spectra != spectra[:, :1], axis=-1))[0])
        raise ValueError(
            f"component {k} of the world has the variances {spectra[k]} along its axes; expected isotropic components: "
            f"{ELSEWHERE}"
        )
    return spectra[:, 0]


def _rows(table: Table) -> Iterator[list[float]]:
    """The columns of each row, if two registers are enough."""
    if table.prediction != "x_0":
        raise ValueError(
            f"the table is around a network that predicts {table.prediction}; expected x_0, as it was made"
        )
    _, *others = table.registers
    if len(others) > 1:
        raise ValueError(f"{table.method} remembers {', '.join(others)}; expected one earlier prediction: {ELSEWHERE}")
    for k, row in enumerate(table.rows):
        sum_ = row.maps.get(STATE, {STATE: 1.0})
        if row.level is None and (PREDICTION in sum_ or others):
            raise ValueError(f"row {k} of {table.method} uses a prediction that it does not ask for: {ELSEWHERE}")
        if any(dict(row.maps.get(name, {})) != {PREDICTION: 1.0} for name in others):
            raise ValueError(f"row {k} of {table.method} remembers something else than its prediction: {ELSEWHERE}")
        held = sum_.get(others[0], 0.0) if others else 0.0
        if held and not k:
            raise ValueError(f"row 0 of {table.method} uses a prediction before it: {ELSEWHERE}")
        scale = row.level.scale if row.level is not None else 0.0
        yield [sum_.get(STATE, 0.0), sum_.get(PREDICTION, 0.0), held, row.noise, scale]


def _terms(row: Row, logs: NDArray[Any], variances: NDArray[Any], d: int) -> NDArray[Any]:
    """The columns of each component, (K, 4)."""
    terms = np.zeros((len(logs), 4))
    if row.level is None:
        return terms
    a, b = row.level.scale, row.level.noise
    if not b:  # without noise x says it all
        terms[:, PULL_X] = 1 / a
        return terms
    spread = a * a * variances + b * b
    likely = logs - d / 2 * np.log(spread)
    terms[:, LOG] = likely - np.max(likely)
    terms[:, HALF] = -1 / (2 * spread)
    terms[:, PULL_X], terms[:, PULL_MEAN] = a * variances / spread, b * b / spread
    return terms
