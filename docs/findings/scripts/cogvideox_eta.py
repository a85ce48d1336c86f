"""CogVideoXDDIMScheduler: the noise of a step with eta=1."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}


def main() -> None:
    for name in ("DDIMScheduler", "CogVideoXDDIMScheduler"):
        s = getattr(diffusers, name)(clip_sample=False, timestep_spacing="leading", beta_schedule="linear")
        s.set_timesteps(10)
        t, zero, one = s.timesteps[4], torch.zeros(1), torch.ones(1)
        a, a_to = s.alphas_cumprod[t].double().item(), s.alphas_cumprod[s.timesteps[5]].double().item()
        expected = ((1 - a_to) / (1 - a) * (1 - a / a_to)) ** 0.5
        got = s.step(zero, t, zero, eta=1.0, variance_noise=one, return_dict=False)[0].item()
        print(f"{name}, n = 10, step 4, eta = 1: coefficient of the noise: expected {expected:.6f} got {got:.6f}")
        assert abs(got - (expected if name == "DDIMScheduler" else 0.0)) < 1e-5


if __name__ == "__main__":
    main()
