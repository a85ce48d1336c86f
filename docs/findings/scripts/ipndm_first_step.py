"""IPNDMScheduler: at its first time the signal is zero, and what the network says there is lost."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
MEAN, DEVIATION = 0.4, 0.6


def end(n: int, start: float, mean: float, variance: float, mend: bool = False) -> float:
    """Where a run around the exact network of N(mean, variance), which predicts v, ends."""
    s = diffusers.IPNDMScheduler()
    s.set_timesteps(n)
    x = torch.tensor([start], dtype=torch.float64)
    for k, t in enumerate(s.timesteps):
        a, b = s.alphas[k].double(), s.betas[k].double()
        x_0 = mean + a * variance / (a * a * variance + b * b) * (x - a * mean)
        eps = (x - a * x_0) / b
        before, x = x, s.step(a * eps - b * x_0, t, x, return_dict=False)[0]
        if mend and k == 0:
            x = s.alphas[1].double() * x_0 + s.betas[1].double() * before
    return x.item()


def main() -> None:
    s = diffusers.IPNDMScheduler()
    s.set_timesteps(7)
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    got = s.step(one, s.timesteps[0], zero, return_dict=False)[0].item()
    expected = -s.alphas[1].item()  # x_0 = -v where there is no signal
    print(f"first step of 7, coefficient of the prediction: expected {expected:.6f} got {got:.6f}")
    assert got == 0 > expected
    for n in (7, 13, 50, 200):
        point = end(n, 1.0, 1.0, 0.0), end(n, 1.0, 1.0, 0.0, mend=True)
        law = [end(n, 0.0, MEAN, DEVIATION**2, mend) for mend in (False, True)]
        wide = [end(n, 1.0, MEAN, DEVIATION**2, mend) - law[mend] for mend in (False, True)]
        print(
            f"n = {n}: data that are the point 1 end at {point[0]:.4f}, with x_0 = -v in the first step {point[1]:.4f}"
        )
        print(f"  N(0.4, 0.6) ends in mean {law[0]:.4f}, deviation {wide[0]:.4f}; so {law[1]:.4f}, {wide[1]:.4f}")
        assert abs(law[0] - MEAN) > 1e-3 > 1e-4 > abs(law[1] - MEAN)


if __name__ == "__main__":
    main()
