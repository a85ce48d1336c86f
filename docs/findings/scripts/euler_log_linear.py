"""EulerDiscreteScheduler with interpolation_type="log_linear": the level of a step, and what the network is told."""

import diffusers
import numpy as np

VERSION = {"diffusers": "0.42.1"}


def deviation(sigmas: np.ndarray, told: np.ndarray, variance: float) -> float:
    """What Euler's steps end with, around the exact network of N(0, variance) at what it is told."""
    out = (1 + sigmas[0] ** 2) ** 0.5
    for s, to, t in zip(sigmas[:-1], sigmas[1:], told, strict=True):
        # it is handed x / sqrt(1 + s^2), and takes it for a x_0 + b eps of the level that it is told
        a, b = 1 / (1 + t * t) ** 0.5, t / (1 + t * t) ** 0.5
        noise = b / (a * a * variance + b * b) / (1 + s * s) ** 0.5
        out *= 1 + (to - s) * noise
    return abs(out)


def main() -> None:
    for n in (13, 50):
        s = diffusers.EulerDiscreteScheduler(interpolation_type="log_linear")
        s.set_timesteps(n)
        table = ((1 - s.alphas_cumprod.double()) / s.alphas_cumprod.double()).sqrt().numpy()
        told = np.exp(np.interp(s.timesteps.double().numpy(), np.arange(1000), np.log(table)))
        assert len(s.timesteps) == n
        levels = s.sigmas.double().numpy()
        print(f"n = {n}: {len(s.timesteps)} times, {len(levels)} levels; the end: {levels[-2]:.4f}, {levels[-1]:.4f}")
        held = levels[:n]
        k = n // 2
        print(f"  step {k}: the network is told t = {s.timesteps[k].item():.1f}, that is sigma {told[k]:.4f}")
        print(f"  step {k}: the scheduler is at sigma {held[k]:.4f}")
        got, mended = deviation(levels[: n + 1], told, 0.6), deviation(np.append(held, 0.0), held, 0.6)
        print(f"  N(0, 0.6) ends in deviation {got:.4f}; data {0.6**0.5:.4f}")
        print(f"  told the level of the step, and with a step to zero: {mended:.4f}")
        assert len(levels) == n + 2
        assert abs(np.log(told[k] / held[k])) > 0.5


if __name__ == "__main__":
    main()
