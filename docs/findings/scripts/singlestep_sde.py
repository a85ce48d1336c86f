"""DPMSolverSinglestepScheduler with sde-dpmsolver++: two draws for one path, and the order of the law."""

import itertools
from collections.abc import Callable

import diffusers
import numpy as np
import torch

VERSION = {"diffusers": "0.42.1"}
MEAN, VARIANCE = 0.4, 0.6
COUNTS = (24, 48, 96, 192)


def law(n: int, order: int, of_one_path: bool = False) -> tuple[float, float]:
    """The mean and the standard deviation of the end, exactly: in each row of a batch one of all normals is 1.

    Around the best prediction for N(0.4, 0.6), on a grid that is uniform in log(sigma), from 100 to 0.05, begun with
    the exact law.
    """
    config = {"solver_order": order, "lower_order_final": False, "final_sigmas_type": "sigma_min"}
    s = diffusers.DPMSolverSinglestepScheduler(algorithm_type="sde-dpmsolver++", prediction_type="sample", **config)
    s.set_timesteps(n)
    sigmas = np.geomspace(100, 0.05, n + 1)
    s.sigmas = torch.from_numpy(sigmas)
    alphas, h = 1 / np.sqrt(1 + sigmas**2), np.log(sigmas[0] / sigmas[1])
    x, draws = np.full(n + 2, alphas[0] * MEAN), iter(range(n))
    x[-1] += alphas[0] * (VARIANCE + sigmas[0] ** 2) ** 0.5

    def noise(*_: object, **__: object) -> torch.Tensor:
        k = next(draws)
        z = np.eye(n + 2)[:, k]
        if of_one_path and s.order_list[k] == 2:  # what was drawn on the way to the middle, and what came after it
            first, rest = np.exp(-h) * np.sqrt(1 - np.exp(-2 * h)), np.sqrt(1 - np.exp(-2 * h))
            z = (first * np.eye(n + 2)[:, k - 1] + rest * z) / np.sqrt(1 - np.exp(-4 * h))
        return torch.from_numpy(z)

    with drawing(noise):
        for k in range(n):
            x_0 = MEAN + VARIANCE / (VARIANCE + sigmas[k] ** 2) * (x / alphas[k] - MEAN)
            made = s.step(torch.from_numpy(x_0), s.timesteps[k], torch.from_numpy(x), return_dict=False)
            x = made[0].numpy()
    base = x[n]  # the row in which all of them are zero
    return float(base), float(np.sqrt(np.sum((x - base) ** 2)))


class drawing:
    """The scheduler draws its noise here for a while."""

    def __init__(self, noise: Callable[..., torch.Tensor]) -> None:
        self.noise, self.place = noise, diffusers.schedulers.scheduling_dpmsolver_singlestep

    def __enter__(self) -> None:
        self.before, self.place.randn_tensor = self.place.randn_tensor, self.noise

    def __exit__(self, *_: object) -> None:
        self.place.randn_tensor = self.before


def error(n: int, order: int, of_one_path: bool = False) -> float:
    """How far the law is from the exact one, in W_2."""
    alpha = 1 / np.sqrt(1 + 0.05**2)
    mean, sd = law(n, order, of_one_path)
    return float(np.hypot(mean - alpha * MEAN, sd - alpha * np.sqrt(VARIANCE + 0.05**2)))


def main() -> None:
    for name, order, of_one_path in (
        ("order 1", 1, False),
        ("order 2, as released", 2, False),
        ("order 2, both draws of one path", 2, True),
    ):
        errors = [error(n, order, of_one_path) for n in COUNTS]
        rates = [np.log2(a / b) for a, b in itertools.pairwise(errors)]
        print(f"{name}: errors", *(f"{e:.2e}" for e in errors), " orders", *(f"{r:.2f}" for r in rates))
    assert np.log2(error(96, 2) / error(192, 2)) < 1.25
    assert error(192, 2) > error(192, 1)
    assert np.log2(error(96, 2, True) / error(192, 2, True)) > 1.75


if __name__ == "__main__":
    main()
