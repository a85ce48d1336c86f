"""How far a run in finite precision may be from the same run in exact numbers: every rounding counted, once."""

from __future__ import annotations

import numpy as np

from numerics.kernels.steps import HALF, LOG, NOISE, OF_HELD, OF_P, OF_X, PULL_MEAN, PULL_X, SCALE

SINGLE, DOUBLE = 2.0**-24, 2.0**-53


def of_rows(table, x, predictions, normals, unit=SINGLE, of_normal=1e-6):
    """A bound for the error of each element at the end of a table, if the network says what it says exactly.

    ``predictions`` are in the order in which they are asked for, ``normals(row)`` are like x.
    """
    said = iter(predictions)
    sizes = {name: np.zeros_like(x) for name in table.registers} | {"x": np.abs(x)}
    errors = {name: np.zeros_like(x) for name in sizes}
    for k, row in enumerate(table.rows):
        if row.level is not None:
            sizes["p"], errors["p"] = np.abs(next(said)), np.zeros_like(x)
        xi = np.abs(normals(k)) if row.noise else 0 * x
        maps = {"x": {"x": 1.0}, **row.maps}
        new_sizes, new_errors = dict(sizes), dict(errors)
        for target, sum_ in maps.items():
            noise = row.noise if target == "x" else 0.0
            new_sizes[target] = sum(abs(c) * sizes[name] for name, c in sum_.items()) + noise * xi
            # each term has a rounded coefficient and a product, and as many sums as there are terms
            own = (len(sum_) + 3) * unit * new_sizes[target] + noise * of_normal
            new_errors[target] = sum(abs(c) * (1 + 2 * unit) * errors[name] for name, c in sum_.items()) + own
        sizes, errors = new_sizes, new_errors
    return errors["x"]


def of_chain(steps, x, normals, unit=SINGLE, of_exp=1.5e-7, of_normal=1e-6):
    """The end of a chain in double precision, and a bound for the error of each particle, (N, d) and (N, 1).

    To first order: each row adds what its own roundings do, and passes on the error of the state by as much as the row
    stretches it there.  ``steps`` are in double precision, ``normals(row)`` are (N, d).  ``of_exp`` is the relative
    error of an exponential, ``of_normal`` the error of a normal.
    """
    x, m, (_, d) = np.array(x, dtype=float), steps.means, x.shape
    error = held_error = np.zeros((len(x), 1))
    held = np.zeros_like(x)
    for k, (row, terms) in enumerate(zip(steps.rows, steps.terms)):
        a, apart = row[SCALE], x[:, None, :] - row[SCALE] * m
        squares = np.sum(apart**2, axis=-1)
        # a m is a product of two rounded numbers, rounded; then d differences, squares and sums
        of_squares = 2 * np.sum(np.abs(apart) * np.abs(3 * a * m), axis=-1) + (d + 4) * squares
        logs = terms[:, LOG] + terms[:, HALF] * squares
        of_logs = -terms[:, HALF] * (of_squares + 3 * squares) + 2 * np.abs(terms[:, LOG]) + np.abs(logs)
        top = np.max(logs, axis=-1, keepdims=True)
        r = np.exp(logs - top)
        r /= np.sum(r, axis=-1, keepdims=True)
        off = unit * (of_logs + 2 * np.abs(logs - top)) + of_exp  # of log r_k
        pulls = terms[:, PULL_X, None] * x[:, None, :] + terms[:, PULL_MEAN, None] * m
        sizes = terms[:, PULL_X, None] * np.abs(x[:, None, :]) + terms[:, PULL_MEAN, None] * np.abs(m)
        p = np.sum(r[..., None] * pulls, axis=1)
        away = np.linalg.norm(pulls - p[:, None, :], axis=-1)
        of_p = np.sum(r * (away * off + (len(m) + 6) * unit * np.linalg.norm(sizes, axis=-1)), axis=-1, keepdims=True)
        slopes = 2 * terms[:, HALF, None] * apart  # of the logarithms, by x
        between = np.einsum("nk,nki,nkj->nij", r, pulls - p[:, None, :], slopes)
        slope = np.einsum("nk,k->n", r, terms[:, PULL_X])[:, None, None] * np.eye(d) + between
        stretch = np.linalg.norm(row[OF_X] * np.eye(d) + row[OF_P] * slope, ord=2, axis=(1, 2))[:, None]
        p_error = of_p + np.linalg.norm(slope, ord=2, axis=(1, 2))[:, None] * error
        xi = normals(k) if row[NOISE] else np.zeros_like(x)
        added = [row[OF_X] * x, row[OF_P] * p, row[OF_HELD] * held, row[NOISE] * xi]
        error = (
            stretch * error
            + abs(row[OF_P]) * of_p
            + abs(row[OF_HELD]) * held_error
            + row[NOISE] * of_normal * np.sqrt(d)
            + 6 * unit * np.linalg.norm(np.sum(np.abs(added), axis=0), axis=-1, keepdims=True)
        )
        x, held, held_error = np.sum(added, axis=0), p, p_error
    return x, error
