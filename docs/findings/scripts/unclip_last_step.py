"""UnCLIPScheduler: beta and 1 - alpha_bar at t = 0 ought to be equal, and are rounded apart."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}


def main() -> None:
    s = diffusers.UnCLIPScheduler(clip_sample=False, prediction_type="sample")
    s.set_timesteps(7)
    x_0, zero = torch.ones(1, 1, 1, 1, dtype=torch.float64), torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    got = s.step(x_0, s.timesteps[-1], zero, return_dict=False)[0].item()
    beta, rest = s.betas[0].item(), (1 - s.alphas_cumprod[0]).item()
    print(f"t = 0: beta {beta:.6e}, 1 - alpha_bar {rest:.6e}")
    print(f"the last step makes of a predicted x_0 of 1: expected 1 got {got:.6f}")
    assert abs(got - 1) > 1e-4
    ddpm = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2", clip_sample=False, prediction_type="sample")
    got = ddpm.step(x_0, 0, zero, return_dict=False)[0].item()
    print(f"DDPMScheduler, the same: {got:.6f}")
    assert abs(got - 1) < 1e-6


if __name__ == "__main__":
    main()
