"""FlowMatchEulerDiscreteScheduler: the levels of a run with shift=3."""

import diffusers
import numpy as np

VERSION = {"diffusers": "0.42.1"}
SHIFT, T = 3.0, 1000


def shifted(u: np.ndarray) -> np.ndarray:
    """The documented shift of a level."""
    return SHIFT * u / (1 + (SHIFT - 1) * u)


def deviation(sigmas: np.ndarray, variance: float) -> float:
    """The deviation that Euler's steps end with, around the exact velocity of N(0, variance)."""
    out = 1.0
    for s, to in zip(sigmas, [*sigmas[1:], 0.0], strict=True):
        total = (1 - s) ** 2 * variance + s * s
        out *= 1 + (to - s) * (s - (1 - s) * variance) / total
    return abs(out)


def main() -> None:
    s = diffusers.FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    table = s.sigmas.double().numpy()
    assert np.allclose(table, shifted(np.arange(T, 0, -1) / T), atol=1e-6)
    for n in (7, 28, T):
        s.set_timesteps(n)
        got, expected = s.sigmas.double().numpy()[:-1], shifted(np.linspace(1, 1 / T, n))
        worst = int(np.argmax(np.abs(got - expected)))
        print(
            f"n = {n}: cleanest level: expected {expected[-1]:.6f} got {got[-1]:.6f}; "
            f"largest difference {abs(got - expected)[worst]:.6f} at step {worst}"
        )
        ends = deviation(got, 0.6), deviation(expected, 0.6)
        print(f"  N(0, 0.6) ends in deviation {ends[0]:.6f}, with one shift {ends[1]:.6f}; data {0.6**0.5:.6f}")
        assert np.isclose(got[-1], shifted(shifted(np.array(1 / T))), rtol=1e-4)
        assert abs(got[-1] - expected[-1]) > 1e-3


if __name__ == "__main__":
    main()
