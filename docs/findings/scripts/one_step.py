"""A run of one step: two schedulers raise, and two return x as it was."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
RAISE = (("PNDMScheduler", 1), ("PNDMScheduler", 2), ("PNDMScheduler", 3), ("UnCLIPScheduler", 1))
RETURN = (
    ("EDMEulerScheduler", {"final_sigmas_type": "sigma_min", "sigma_data": 1.0}),
    *(("DEISMultistepScheduler", {f"use_{grid}_sigmas": True}) for grid in ("karras", "exponential", "beta")),
)


def main() -> None:
    for name, n in RAISE:
        try:
            getattr(diffusers, name)().set_timesteps(n)
        except (ValueError, ZeroDivisionError) as error:
            print(f"{name}, n = {n}: set_timesteps raises {type(error).__name__}: {error}")
        else:
            raise AssertionError(name)
    for name, options in RETURN:
        s = getattr(diffusers, name)(**options)
        s.set_timesteps(1)
        x, ends = torch.full((1, 1, 1, 1), 3.0, dtype=torch.float64), []
        for said in (0.0, 1.0):
            s.set_timesteps(1)
            s.scale_model_input(x, s.timesteps[0])
            ends.append(s.step(torch.full_like(x, said), s.timesteps[0], x, return_dict=False)[0].item())
        print(f"{name}, {options}, n = 1: sigmas {s.sigmas.tolist()}, from 3 to {ends[0]:.6f}, whatever is predicted")
        assert s.sigmas[0] == s.sigmas[1]
        assert abs(ends[0] - 3) < 1e-5 > abs(ends[1] - ends[0])


if __name__ == "__main__":
    main()
