"""UniPCMultistepScheduler: the last step, to sigma = 0, multiplies infinity by zero."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
OPTIONS = (
    {},
    {"solver_type": "bh1"},
    {"solver_type": "bh1", "final_sigmas_type": "sigma_min"},
    {"lower_order_final": False},
    {"lower_order_final": False, "final_sigmas_type": "sigma_min"},
)


def last(n: int, **options: str | bool) -> tuple[int | None, float]:
    """The first step that is not finite, around a network that says what x is, and the end."""
    s = diffusers.UniPCMultistepScheduler(**options)
    s.set_timesteps(n)
    x, first = torch.ones(1, 1, 1, 1, dtype=torch.float64), None
    for k, t in enumerate(s.timesteps):
        x = s.step(0.5 * x, t, x, return_dict=False)[0]
        if first is None and not torch.isfinite(x).all():
            first = k
    return first, x.item()


def main() -> None:
    for options in OPTIONS:
        for n in (2, 20):
            first, end = last(n, **options)
            print(f"{options}, n = {n}: " + (f"ends in {end:.4f}" if first is None else f"{end} from step {first}"))
            finite = not options or "final_sigmas_type" in options
            assert (first is None) == finite
            assert finite or first == n - 1


if __name__ == "__main__":
    main()
