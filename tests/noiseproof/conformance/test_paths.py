"""Noise that is told its interval is an increment of one path: what is drawn twice over is not fresh there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from noiseproof.conformance.findings import FAIL, PASS
from noiseproof.conformance.protocol import Claims
from noiseproof.conformance.unrolled import increments

from .here import asked


def test_increments_add_up():
    """Two pieces and the whole of them, one that is told nothing, and a piece of another place, both ways."""
    first, second, whole, alone, there, back = increments(
        ((3.0, 2.0), (2.0, 0.5), (3.0, 0.5), (), (0.5, 0.1), (0.1, 0.5))
    )
    np.testing.assert_allclose(2.5**0.5 * whole, first + 1.5**0.5 * second, atol=1e-15)
    np.testing.assert_allclose([x @ x for x in (first, second, whole, alone, there)], 1, atol=1e-15)
    np.testing.assert_array_equal(back, -there)
    assert [first @ second, whole @ there, alone @ whole] == [0, 0, 0]


def test_without_intervals_all_are_fresh():
    np.testing.assert_array_equal(increments(((), (), (2.0, 2.0))), np.eye(3))
    assert increments(()).shape == (0, 0)


@dataclass(frozen=True)
class Halves:
    """Two draws of the reverse diffusion a step; the noise of the second is what is left of that of the whole step."""

    tells: bool = True
    twice: bool = False
    claims: Claims = field(
        default_factory=lambda: Claims("halves", "sde", "x_0", order=1, method="sde-dpmpp-1", single=False)
    )
    library: str = "numpy"

    def trained(self, told):
        return 1.0, float(told)

    def run(self, model, x, n, noise):
        draw = lambda s, r: noise(x.shape, *((s, r) if self.tells else ()))
        for s, r in itertools.pairwise(np.append(np.geomspace(50.0, 0.02, n), 0.0)):
            middle = (s * r) ** 0.5 if r else s / 2
            half, whole = draw(s, middle), draw(s, r)
            rest = half if self.twice else ((s - r) ** 0.5 * whole - (s - middle) ** 0.5 * half) / (middle - r) ** 0.5
            for (a, b), xi in zip(((s, middle), (middle, r)), (half, rest), strict=True):
                part = (b / a) ** 2
                x = part * x + (1 - part) * model(x, a, (1.0, a)) + b * (1 - part) ** 0.5 * xi
        return x


@pytest.mark.parametrize(
    ("sampler", "verdict"),
    [(Halves(), PASS), (Halves(tells=False), FAIL), (Halves(twice=True), FAIL)],
    ids=["one path", "the rest of fresh noise", "the same noise twice"],
)
def test_a_path_tells_correct_code_from_noise_that_is_not_fresh(sampler, verdict):
    found = asked("P20", sampler)
    assert found.verdict == verdict, found.telling
