"""DEISMultistepScheduler with use_flow_sigmas: the last sigma comes twice, so that it ends with noise of 0.999 / n."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}


def ended(name: str, n: int) -> tuple[list[float], float, float]:
    """The last sigmas, and what is left of data that are the point 1 and of noise, around the network that knows it."""
    s = getattr(diffusers, name)(use_flow_sigmas=True, prediction_type="flow_prediction")
    ends = []
    for noise in (0.0, 1.0):
        s.set_timesteps(n)
        sigma = s.sigmas[0].double()
        x = (1 - sigma) * torch.ones(1, 1, 1, 1, dtype=torch.float64) + sigma * noise
        for k, t in enumerate(s.timesteps):
            x = s.step((x - 1) / s.sigmas[k].double(), t, x, return_dict=False)[0]  # epsilon - x_0
        ends.append(x.item())
    return s.sigmas[-3:].tolist(), ends[0], ends[1] - ends[0]


def main() -> None:
    for name in ("DPMSolverMultistepScheduler", "DEISMultistepScheduler"):
        for n in (1, 7, 13, 50):
            sigmas, data, noise = ended(name, n)
            shown = ", ".join(f"{sigma:.4f}" for sigma in sigmas)
            print(f"{name}, n = {n}: last sigmas {shown}; ends in {data:.4f} data + {noise:.4f} noise")
            left = 0.999 / n if name.startswith("DEIS") else 0.0
            assert abs(noise - left) < 1e-5
            assert abs(data - (1 - left)) < 1e-5


if __name__ == "__main__":
    main()
