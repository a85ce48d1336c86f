"""DPMSolverMultistepScheduler with solver_order=3: the weights of the last three predictions, and the order."""

import itertools

import diffusers
import numpy as np
import torch

VERSION = {"diffusers": "0.42.1"}
MEAN, VARIANCE = 0.4, 0.6


def scheduler(n: int, order: int = 3) -> tuple[diffusers.DPMSolverMultistepScheduler, np.ndarray]:
    """One on a grid that is uniform in log(alpha/sigma), from sigma 100 to 0.05, in double precision."""
    config = {"solver_order": order, "prediction_type": "sample", "final_sigmas_type": "sigma_min"}
    s = diffusers.DPMSolverMultistepScheduler(**config)
    s.set_timesteps(n)
    sigmas = np.geomspace(100, 0.05, n + 1)
    s.sigmas = torch.from_numpy(sigmas)
    return s, sigmas


def stepped(s: diffusers.DPMSolverMultistepScheduler, k: int, x: float, x_0: float) -> float:
    """The next step, from x around a prediction of data."""
    one = torch.ones(1, dtype=torch.float64)
    return s.step(x_0 * one, s.timesteps[k], x * one, return_dict=False)[0].item()


def weights(nodes: np.ndarray, h: float) -> np.ndarray:
    """The integrals of exp(u - h) L_j(u) over a step of length h, L_j the polynomials of Lagrange on the nodes."""
    u, w = np.polynomial.legendre.leggauss(20)
    u, w = h * (u + 1) / 2, w * h / 2
    lagrange = [np.prod([(u - b) / (a - b) for b in nodes if b != a], axis=0) for a in nodes]
    return np.array([np.sum(w * np.exp(u - h) * each) for each in lagrange])


def error(n: int, order: int = 3, mended: bool = False) -> float:
    """How far from the exact flow the end is, at its worst over +-2 standard deviations of N(0.4, 0.6)."""
    s, sigmas = scheduler(n, order)
    alphas = 1 / np.sqrt(1 + sigmas**2)
    lambdas, said, worst = -np.log(sigmas), [], 0.0
    for z in (-2.0, 2.0):
        s, _ = scheduler(n, order)
        said, x = [], MEAN * alphas[0] + z * alphas[0] * (VARIANCE + sigmas[0] ** 2) ** 0.5
        for k in range(n):
            said.append(MEAN + VARIANCE / (VARIANCE + sigmas[k] ** 2) * (x / alphas[k] - MEAN))
            if mended:
                nodes = [lambdas[j] - lambdas[k] for j in range(max(0, k - order + 1), k + 1)]
                w = weights(np.array(nodes), lambdas[k + 1] - lambdas[k])
                gain = sigmas[k + 1] * alphas[k + 1] / (sigmas[k] * alphas[k])
                x = gain * x + alphas[k + 1] * np.dot(w, said[-len(nodes) :])
            else:
                x = stepped(s, k, x, said[-1])
        exact = alphas[-1] * (MEAN + z * (VARIANCE + sigmas[-1] ** 2) ** 0.5)
        worst = max(worst, abs(x - exact))
    return worst


def main() -> None:
    n, k = 24, 12
    s, sigmas = scheduler(n)
    got = []
    for j in range(3):
        s, _ = scheduler(n)
        got.append([stepped(s, i, 0.0, float(i == k - 2 + j)) for i in range(k + 1)][k])
    lambdas = -np.log(sigmas)
    alpha = 1 / np.sqrt(1 + sigmas[k + 1] ** 2)
    expected = alpha * weights(lambdas[k - 2 : k + 1] - lambdas[k], lambdas[k + 1] - lambdas[k])
    for j in range(3):
        print(f"n = {n}, step {k}, weight of prediction {k - 2 + j}: expected {expected[j]:.6f} got {got[j]:.6f}")
    # What multiplies the second difference (1, -2, 1) is alpha / h^2 times the integral of exp(u - h) u^2 / 2.
    h = lambdas[k + 1] - lambdas[k]
    curvature = alpha * (1 - h + h * h / 2 - np.exp(-h)) / h**2
    off = (np.array(expected) - got) / np.array([1, -2, 1])
    print(f"weight of the curvature: expected {curvature:.6f} got {curvature - off[0]:.6f}")
    assert np.allclose(off, curvature / 2, rtol=1e-6)
    counts = (24, 48, 96, 192)
    for name, errors in {
        "order 2, as released": [error(c, 2) for c in counts],
        "order 3, as released": [error(c) for c in counts],
        "order 3, the integral of the interpolating parabola": [error(c, mended=True) for c in counts],
    }.items():
        orders = [np.log2(a / b) for a, b in itertools.pairwise(errors)]
        print(f"{name}: errors", *(f"{e:.2e}" for e in errors), " orders", *(f"{o:.2f}" for o in orders))
    assert not np.allclose(got, expected, rtol=1e-3)
    assert np.log2(error(96) / error(192)) < 2.25
    assert np.log2(error(96, mended=True) / error(192, mended=True)) > 2.75


if __name__ == "__main__":
    main()
