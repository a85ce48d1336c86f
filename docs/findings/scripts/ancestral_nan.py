"""EulerAncestralDiscreteScheduler and KDPM2AncestralDiscreteScheduler with squaredcos_cap_v2: NaN."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}


def first_nan(name: str, n: int, schedule: str) -> str:
    """Where the first number that is none appears."""
    s = getattr(diffusers, name)(beta_schedule=schedule)
    s.set_timesteps(n)
    if not torch.isfinite(s.timesteps).all():
        return "in timesteps"
    x = s.init_noise_sigma * torch.ones(1, 1, 1, 1)
    for k, t in enumerate(s.timesteps):
        s.scale_model_input(x, t)
        x = s.step(torch.zeros_like(x), t, x, return_dict=False)[0]
        if not torch.isfinite(x).all():
            return f"in step {k}"
    return "nowhere"


def main() -> None:
    for name in ("EulerAncestralDiscreteScheduler", "KDPM2AncestralDiscreteScheduler"):
        for schedule in ("linear", "squaredcos_cap_v2"):
            where = {n: first_nan(name, n, schedule) for n in (2, 4, 7, 10, 20, 50)}
            print(f"{name}, {schedule}: " + ", ".join(f"n = {n} {place}" for n, place in where.items()))
            assert (set(where.values()) == {"nowhere"}) == (schedule == "linear")
    s = diffusers.EulerAncestralDiscreteScheduler(beta_schedule="squaredcos_cap_v2")
    s.set_timesteps(4)
    up = (s.sigmas[1] ** 2 * (s.sigmas[0] ** 2 - s.sigmas[1] ** 2) / s.sigmas[0] ** 2) ** 0.5
    down2, exact = (s.sigmas[1] ** 2 - up**2).item(), (s.sigmas[1].double() ** 2 / s.sigmas[0].double()).item() ** 2
    print(f"n = 4, step 0: square of sigma_down: expected {exact:.3e} got {down2:.3e}")
    assert down2 < 0 < exact


if __name__ == "__main__":
    main()
