"""azula's REABSampler around the exact denoiser of a normal law: the order."""

import itertools

import azula.denoise
import azula.noise
import azula.sample
import numpy as np
import torch

VERSION = {"azula": "0.11.1"}
MEAN, VARIANCE, LAST = 0.4, 0.6, 0.05


class Same(azula.denoise.Denoiser):
    """Says the same, whatever it is handed."""

    def __init__(self, schedule: azula.noise.Schedule, said: float) -> None:
        super().__init__()
        self.schedule, self.said = schedule, said

    def forward(self, x: torch.Tensor, t: torch.Tensor, **_: object) -> azula.denoise.DiracPosterior:
        return azula.denoise.DiracPosterior(torch.full_like(x, self.said))


class Exact(azula.denoise.Denoiser):
    """The posterior mean of N(0.4, 0.6)."""

    def __init__(self, schedule: azula.noise.Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def forward(self, x: torch.Tensor, t: torch.Tensor, **_: object) -> azula.denoise.DiracPosterior:
        a, b = self.schedule(t)
        gain = a * VARIANCE / (a * a * VARIANCE + b * b)
        return azula.denoise.DiracPosterior(MEAN + gain * (x - a * MEAN))


def main() -> None:
    s, t = 0.5, 2.0
    schedule = azula.noise.VESchedule(sigma_min=s, sigma_max=t)
    one = torch.ones(1, dtype=torch.float64)
    made = azula.sample.REABSampler(Same(schedule, 1.0), steps=1, silent=True, dtype=torch.float64)(0 * one).item()
    # f = ((1 - a_t) x - E[X]) / b_t, and the integral of e^u / (1 + e^2u) is that of 1 / (1 + sigma^2) in sigma
    b_t = t / (1 + t * t) ** 0.5
    expected = -((1 + s * s) ** 0.5) / b_t * (np.arctan(s) - np.arctan(t))
    swapped = -((1 + t * t) ** 0.5) / b_t * (np.arctan(s) - np.arctan(t))
    print(f"sigma {t} to {s}: coefficient of the prediction: expected {expected:.6f} got {made:.6f}")
    assert abs(made - swapped) < 1e-5 < abs(made - expected)
    schedule = azula.noise.VESchedule(sigma_min=LAST, sigma_max=100.0)
    z = torch.linspace(-2, 2, 101, dtype=torch.float64)
    start, exact = MEAN + z * (100**2 + VARIANCE) ** 0.5, MEAN + z * (LAST**2 + VARIANCE) ** 0.5
    for name in ("REABSampler", "xEABSampler"):
        kind, counts = getattr(azula.sample, name), (24, 48, 96, 192)
        ends = [kind(Exact(schedule), steps=n, silent=True, dtype=torch.float64)(start) for n in counts]
        errors = [(end - exact).abs().max().item() for end in ends]
        orders = [np.log2(a / b) for a, b in itertools.pairwise(errors)]
        print(f"{name}: errors", *(f"{e:.2e}" for e in errors), " orders", *(f"{o:.2f}" for o in orders))


if __name__ == "__main__":
    main()
