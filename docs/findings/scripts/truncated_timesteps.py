"""Exponential, beta and flow sigmas in the multistep schedulers: the time that the network is told is truncated."""

import diffusers
import numpy as np

VERSION = {"diffusers": "0.42.1"}
NAMES = ("DPMSolverMultistep", "DPMSolverSinglestep", "DEISMultistep", "UniPCMultistep", "SASolver")
GRIDS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")


def places(name: str, n: int, **options: bool) -> np.ndarray:
    """How far above the time that the network is told the place of sigma in the table of training is."""
    s = getattr(diffusers, f"{name}Scheduler")(**options)
    logs = np.log(((1 - s.alphas_cumprod) / s.alphas_cumprod) ** 0.5).double().numpy()
    s.set_timesteps(n)
    sigmas = s.sigmas[:n].double().numpy()
    if options.get("use_flow_sigmas"):
        return 1000 * sigmas - s.timesteps.numpy()
    return np.interp(np.log(sigmas), logs, np.arange(len(logs))) - s.timesteps.numpy()


def main() -> None:
    for name in NAMES:
        for grid in (*GRIDS, "use_flow_sigmas"):
            found = places(name, 13, **{grid: True})
            print(
                f"{name}, {grid}, n = 13: from {found.min():+.3f} to {found.max():+.3f}, on average {found.mean():+.3f}"
            )
            rounded = grid == "use_karras_sigmas"
            assert (np.abs(found).max() <= 0.501) == rounded
            assert rounded or found.min() >= -0.001
    s = diffusers.UniPCMultistepScheduler(use_flow_sigmas=True)
    s.set_timesteps(13)
    sigma = s.sigmas[0].item()
    print(
        f"UniPCMultistep, use_flow_sigmas, step 0: sigma {sigma:.6f}, and the network is told {s.timesteps[0]} of 1000"
    )


if __name__ == "__main__":
    main()
