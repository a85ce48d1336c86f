"""add_noise of schedulers that are new, as in training, with another grid of sigmas."""

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}
NAMES = ("Heun", "KDPM2", "KDPM2Ancestral", "LMS", "Euler")
GRIDS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")


def added(s: object, data: float, noise: float, t: int) -> float:
    parts = [torch.full((1, 1, 1, 1), part, dtype=torch.float64) for part in (data, noise)]
    return s.add_noise(*parts, torch.tensor([t])).item()  # type: ignore[attr-defined]


def main() -> None:
    for name in NAMES:
        for grid in GRIDS:
            s, raised = getattr(diffusers, f"{name}DiscreteScheduler")(**{grid: True}), []
            for t in range(1000):
                try:
                    added(s, 1.0, 0.0, t)
                except IndexError as error:
                    raised.append((t, error))
            shown = f"{len(raised)} of 1000 times raise IndexError" + (f": {raised[0][1]}" if raised else "")
            print(f"{name}DiscreteScheduler({grid}=True): {shown}")
            assert bool(raised) == (name != "Euler")
    s = diffusers.SASolverScheduler(use_flow_sigmas=True, prediction_type="flow_prediction")
    for t in (0, 250, 500, 999):
        got, expected = (added(s, 1.0, 0.0, t), added(s, 0.0, 1.0, t)), (1 - t / 1000, t / 1000)
        print(f"SASolverScheduler(use_flow_sigmas=True), t = {t}: weights expected {expected}, got {got}")
    assert abs(got[0] - expected[0]) > 1e-3


if __name__ == "__main__":
    main()
