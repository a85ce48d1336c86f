"""A table is read off a run, in single precision too, and is the same whatever network it was read around."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from noiseproof.conformance.target import Call, Ran
from noiseproof.conformance.unrolled import unrolled

N = 60
SIGMAS = np.geomspace(2e4, 0.1, N + 1)  # as a cosine schedule begins
A, B = 1 / np.hypot(1, SIGMAS), SIGMAS / np.hypot(1, SIGMAS)


class DDIM:
    """Around a network that predicts noise, with fresh noise in some steps; x is rounded before each step."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def run(self, x: Any, n: int, model: Any, noise: Any, sigmas: Any = None) -> Ran:
        calls, draws = [], []
        for k in range(n):
            calls.append(Call(x, float(k), (A[k], B[k])))
            x = x.astype(self.kind).astype(float)
            p = np.asarray(model(calls[-1]), dtype=float).reshape(x.shape)
            z, sd = 0.0, 0.3 * B[k + 1] if k % 7 == 3 else 0.0
            if sd:
                draws.append((len(calls), ()))
                z = np.asarray(noise(x.shape, ())).reshape(x.shape)
            x = A[k + 1] / A[k] * (x - B[k] * p) + np.sqrt(B[k + 1] ** 2 - sd**2) * p + sd * z
        return Ran(x, calls, draws, [])


def best(call: Call) -> float:
    """The gain of the best network for N(0, 1)."""
    a, b = call.level or (0.0, 1.0)
    return b / (a * a + b * b)


def law(table: Any) -> Any:
    """Standard deviations of all inputs and of the end, for data N(0, 0.6)."""
    gains = [(b / (0.6 * a * a + b * b), 0.0) for a, b in zip(A, B, strict=True)]
    return np.sqrt(table.law((0.0, 0.6 * A[0] ** 2 + B[0] ** 2), gains)[1])


def test_it_is_the_same_table_around_another_network():
    one, other = (unrolled(DDIM("float64"), N, gain=gain) for gain in (None, best))  # type: ignore[arg-type]
    scale = np.max(np.abs(one._all), axis=0)
    assert np.max(np.abs(one._all - other._all) / scale) < 1e-7  # what it says is in single precision, and known
    np.testing.assert_array_equal(one.of_predictions == 0, np.triu(np.ones((N + 1, N)), 0) > 0)
    np.testing.assert_array_equal(other.of_predictions == 0, np.triu(np.ones((N + 1, N)), 0) > 0)
    np.testing.assert_allclose(law(one), law(other), rtol=1e-9)
    assert other.off < 1e-9


def test_what_cancels_later_is_not_lost_in_single_precision():
    exact = law(unrolled(DDIM("float64"), N))  # type: ignore[arg-type]
    lost = np.max(np.abs(law(unrolled(DDIM("float32"), N)) - exact))  # type: ignore[arg-type]
    kept = np.max(np.abs(law(unrolled(DDIM("float32"), N, gain=best)) - exact))  # type: ignore[arg-type]
    assert kept < 2e-6 < 1e-4 < lost


def test_a_run_that_asks_otherwise_around_a_network_is_seen():
    class Moody(DDIM):
        def run(self, x: Any, n: int, model: Any, noise: Any, sigmas: Any = None) -> Ran:
            return super().run(x, n - (len(x) > 1), model, noise, sigmas)

    with pytest.raises(Exception, match="asks the network"):
        unrolled(Moody("float32"), N, gain=best)  # type: ignore[arg-type]
