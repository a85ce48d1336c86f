"""add_noise of the multistep schedulers, before and after set_timesteps."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
NAMES = (
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "DEISMultistepScheduler",
    "UniPCMultistepScheduler",
)


def weights(s: object, t: int) -> tuple[float, float]:
    """Those of data and of noise at this time."""
    one, zero, time = torch.ones(1), torch.zeros(1), torch.tensor([t])
    return s.add_noise(one, zero, time).item(), s.add_noise(zero, one, time).item()


def main() -> None:
    for name in (*NAMES, "DDPMScheduler", "EulerDiscreteScheduler"):
        s = getattr(diffusers, name)()
        a_bar = s.alphas_cumprod.double()
        for t in (0, 250, 999):
            a, b = weights(s, t)
            mirrored = a_bar[999 - t].item() ** 0.5
            ratio = (a_bar[t] / (1 - a_bar[t])).item() ** 0.5
            print(f"{name}, new, t = {t}: weight of data over that of noise: expected {ratio:.4g} got {a / b:.4g}")
            if name in NAMES:
                assert abs(a - mirrored) < 1e-4, (a, mirrored)
            else:
                assert abs(a / b / ratio - 1) < 1e-3
        s.set_timesteps(10)
        t = int(s.timesteps[0])
        a, b = weights(s, t)
        assert abs(a / b / (a_bar[t] / (1 - a_bar[t])).item() ** 0.5 - 1) < 1e-2  # after set_timesteps it is right


if __name__ == "__main__":
    main()
