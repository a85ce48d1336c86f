"""PNDMScheduler: one network, as a prediction of noise and as one of v."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
MEAN, VARIANCE = 0.4, 0.6


def end(kind: str, n: int, z: float, data: float | None = None) -> float:
    """Where a run from z ends around the exact network of N(0.4, 0.6), or of one point."""
    s = diffusers.PNDMScheduler(prediction_type=kind)
    s.set_timesteps(n)
    x = torch.tensor([z], dtype=torch.float64)
    for t in s.timesteps:
        a2 = s.alphas_cumprod[t].double()
        a, b = a2.sqrt(), (1 - a2).sqrt()
        mean, variance = (MEAN, VARIANCE) if data is None else (data, 0.0)
        x_0 = mean + a * variance / (a2 * variance + b * b) * (x - a * mean)
        eps = (x - a * x_0) / b
        x = s.step(eps if kind == "epsilon" else a * eps - b * x_0, t, x, return_dict=False)[0]
    return x.item()


def main() -> None:
    for n in (7, 13, 50):
        noise, v = end("epsilon", n, 1.0), end("v_prediction", n, 1.0)
        print(f"n = {n}, N(0.4, 0.6): around noise {noise:.6f}, around v {v:.6f}")
        noise_point, v_point = end("epsilon", n, 1.0, 0.4), end("v_prediction", n, 1.0, 0.4)
        print(f"  the point 0.4: around noise {noise_point:.6f}, around v {v_point:.6f}")
        assert abs(noise - v) > 1e-3


if __name__ == "__main__":
    main()
