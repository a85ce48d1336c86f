"""DEISMultistepScheduler with solver_order=3: weights in single precision are differences of larger numbers."""

import itertools

import diffusers
import numpy as np
import torch

VERSION = {"diffusers": "0.42.1"}
MEAN, VARIANCE = 0.4, 0.6
COUNTS = (24, 48, 96, 192)


def scheduler(n: int, order: int, kind: torch.dtype | None, grid: bool) -> diffusers.DEISMultistepScheduler:
    """One on its own grid, or on one that is uniform in log(sigma), from 100 to 0.05, as numbers of this kind."""
    s = diffusers.DEISMultistepScheduler(solver_order=order, lower_order_final=False)
    s.set_timesteps(n)
    if grid:
        s.sigmas = torch.from_numpy(np.geomspace(100, 0.05, n + 1)).float()
    s.sigmas = s.sigmas.to(kind)
    return s


def error(n: int, order: int = 3, kind: torch.dtype = torch.float32, grid: bool = True) -> float:
    """How far from the exact flow the end is, at its worst over +-2 standard deviations of N(0.4, 0.6)."""
    s = scheduler(n, order, kind, grid)
    sigmas = s.sigmas.double().numpy()
    alphas, z = 1 / np.sqrt(1 + sigmas**2), np.array([-2.0, 2.0])
    x = alphas[0] * (MEAN + z * (VARIANCE + sigmas[0] ** 2) ** 0.5)
    for k in range(n):
        noise = sigmas[k] / (VARIANCE + sigmas[k] ** 2) * (x / alphas[k] - MEAN)  # the best prediction of it
        x = s.step(torch.from_numpy(noise), s.timesteps[k], torch.from_numpy(x), return_dict=False)[0].numpy()
    exact = alphas[-1] * (MEAN + z * (VARIANCE + sigmas[-1] ** 2) ** 0.5)
    return float(np.max(np.abs(x - exact)))


def weights(rho: np.ndarray) -> np.ndarray:
    """The integrals, from rho[1] to rho[0], of the polynomials of Lagrange in log(rho) on rho[1], rho[2], rho[3]."""
    u, w = np.polynomial.legendre.leggauss(20)
    a, b, nodes = np.log(rho[1]), np.log(rho[0]), np.log(rho[1:])
    u, w = (a + b) / 2 + (b - a) / 2 * u, w * (b - a) / 2
    lagrange = [np.prod([(u - d) / (c - d) for d in nodes if d != c], axis=0) for c in nodes]
    return np.array([np.sum(w * np.exp(u) * each) for each in lagrange])


def got(n: int, k: int, kind: torch.dtype) -> list[float]:
    """The weights of the last three predictions in step k, in the units of x / alpha, the latest first."""
    found, one = [], torch.ones(1, dtype=torch.float64)
    for j in (k, k - 1, k - 2):
        s, x = scheduler(n, 3, kind, True), 0 * one
        for i in range(k + 1):
            x = s.step(one * (i == j), s.timesteps[i], 0 * one, return_dict=False)[0]
        found.append(x.item() * (1 + s.sigmas[k + 1].item() ** 2) ** 0.5)
    return found


def main() -> None:
    n, k = 192, 20
    sigmas = scheduler(n, 3, torch.float32, True).sigmas.double().numpy()
    expected = weights(sigmas[[k + 1, k, k - 1, k - 2]])
    single, double = got(n, k, torch.float32), got(n, k, torch.float64)
    for j in range(3):
        numbers = f"expected {expected[j]:.5f} got {single[j]:.5f}, from the same sigmas in float64 {double[j]:.5f}"
        print(f"n = {n}, step {k}, weight of prediction {k - j}: {numbers}")
    for grid, order, kind in itertools.product((True, False), (2, 3), (torch.float32, torch.float64)):
        errors = [error(c, order, kind, grid) for c in COUNTS]
        name = "uniform in log(sigma)" if grid else "its own grid"
        print(f"{name}, order {order}, {str(kind)[6:]} sigmas: errors", *(f"{e:.2e}" for e in errors))
    assert np.allclose(double, expected, rtol=1e-6)
    assert not np.allclose(single, expected, rtol=1e-3)
    assert error(192) > error(96) > error(48)
    assert np.log2(error(48, kind=torch.float64) / error(96, kind=torch.float64)) > 2.75


if __name__ == "__main__":
    main()
