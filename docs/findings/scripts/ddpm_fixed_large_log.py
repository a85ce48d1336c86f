"""DDPMScheduler with variance_type="fixed_large_log": the deviation of the noise of a step."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}


def main() -> None:
    for name in ("DDPMScheduler", "DDPMParallelScheduler"):
        s = getattr(diffusers, name)(variance_type="fixed_large_log")
        beta = s.betas[500].item()
        x = torch.zeros(1, 1, 1, 1)
        made = s.step(x, 500, x, generator=torch.Generator().manual_seed(0), return_dict=False)[0].item()
        print(f"{name}: deviation of the noise at t = 500: expected {beta**0.5:.6f}; x after the step: got {made}")
        assert made != made


if __name__ == "__main__":
    main()
