"""As many steps as there are levels of training: the multistep schedulers ask at one level twice."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
NAMES = ("DPMSolverMultistepScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler", "SASolverScheduler")


def main() -> None:
    for name in NAMES:
        for n in (999, 1000):
            s = getattr(diffusers, name)()
            s.set_timesteps(n)
            times, x = s.timesteps.tolist(), torch.ones(1, 1, 1, 1)
            twice = sorted({t for t in times if times.count(t) > 1})
            first = None
            for k, t in enumerate(s.timesteps):
                x = s.step(torch.zeros_like(x), t, x, return_dict=False)[0]
                if first is None and not torch.isfinite(x).all():
                    first = k
            end = "finite" if first is None else f"not finite from step {first}"
            print(f"{name}, n = {n}: {len(times)} times, {len(set(times))} different, twice {twice}; x is {end}")
            assert (first is not None) == (n == 1000), name
        raises_with_leading(name)


def raises_with_leading(name: str) -> None:
    """With n + 1 > T the ratio T // (n + 1) of this spacing is zero, and so is each time."""
    s = getattr(diffusers, name)(timestep_spacing="leading")
    s.set_timesteps(1000)
    x = torch.ones(1, 1, 1, 1)
    try:
        for t in s.timesteps:
            x = s.step(torch.zeros_like(x), t, x, return_dict=False)[0]
    except (IndexError, AssertionError) as error:
        times = sorted(set(s.timesteps.tolist()))
        print(f'{name}, "leading", n = 1000: times {times}; step raises {type(error).__name__} {error}'.rstrip())
    else:
        raise AssertionError(name)


if __name__ == "__main__":
    main()
