"""DDIMScheduler: where a step goes to, when the number of steps does not divide that of training."""

import diffusers
import numpy as np
import torch

VERSION = {"diffusers": "0.42.1"}
N, MEAN, VARIANCE = 13, 0.4, 0.6


def scheduler(spacing: str) -> diffusers.DDIMScheduler:
    """One that is set to 13 steps."""
    s = diffusers.DDIMScheduler(timestep_spacing=spacing, clip_sample=False)
    s.set_timesteps(N)
    return s


def stepped(s: diffusers.DDIMScheduler, k: int, x: float, noise: float, eta: float = 0.0, normal: float = 0.0) -> float:
    """Step k from x, around a network that predicts this noise."""
    one = torch.ones(1, dtype=torch.float64)
    made = s.step(noise * one, s.timesteps[k], x * one, eta=eta, variance_noise=normal * one, return_dict=False)
    return made[0].item()


def law(s: diffusers.DDIMScheduler, levels: list[int]) -> tuple[float, float]:
    """Mean and deviation of the end of DDIM in closed form, for N(0.4, 0.6), where step k goes to levels[k]."""
    a_bar = s.alphas_cumprod.double().numpy()
    mean, deviation = 0.0, 1.0
    for t, to in zip(s.timesteps.tolist(), levels, strict=True):
        a, b = a_bar[t] ** 0.5, (1 - a_bar[t]) ** 0.5
        a_to, b_to = (a_bar[to] ** 0.5, (1 - a_bar[to]) ** 0.5) if to >= 0 else (1.0, 0.0)
        total = a * a * VARIANCE + b * b
        slope, shift = a * VARIANCE / total, MEAN - a * VARIANCE / total * a * MEAN  # of the exact denoiser
        gain = b_to / b
        mean = gain * mean + (a_to - gain * a) * (slope * mean + shift)
        deviation *= gain + (a_to - gain * a) * slope
    return mean, abs(deviation)


def main() -> None:
    for spacing in ("trailing", "linspace"):
        s = scheduler(spacing)
        a_bar, times = s.alphas_cumprod.double().numpy(), s.timesteps.tolist()
        to = [*times[1:], -1]
        expected = (a_bar[to[0]] / a_bar[times[0]]) ** 0.5
        got = stepped(s, 0, 1.0, 0.0)
        print(f"{spacing}: step 0 goes from t = {times[0]} to t = {to[0]}")
        print(f"  coefficient of x: expected {expected:.6f} got {got:.6f}")
        goes_to = [t - 1000 // N for t in times]
        assert np.isclose(got, (a_bar[goes_to[0]] / a_bar[times[0]]) ** 0.5, rtol=1e-5)
        assert abs(got - expected) > 1e-3
        mean, deviation = law(s, to)
        mean_got, deviation_got = law(s, [t if t >= 0 else -1 for t in goes_to])
        print(f"  N(0.4, 0.6) ends in mean {mean_got:.4f}, deviation {deviation_got:.4f}")
        print(f"  and where each step goes to the next time: {mean:.4f}, {deviation:.4f}")
        left = stepped(s, N - 1, 0.0, 0.0, eta=1.0, normal=1.0)
        print(f"  eta = 1: coefficient of the noise of the last step: expected 0 got {left:.6f}")


if __name__ == "__main__":
    main()
