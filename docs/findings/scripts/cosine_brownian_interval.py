"""CosineDPMSolverMultistepScheduler with final_sigmas_type="sigma_min": noise over an interval of length zero."""

import importlib.util
import warnings

import diffusers
import torch

VERSION = {"diffusers": "0.42.1"}


def main() -> None:
    if importlib.util.find_spec("torchsde") is None:
        print("this scheduler needs torchsde")
        return
    warnings.simplefilter("ignore")
    for kind in ("zero", "sigma_min"):
        s = diffusers.CosineDPMSolverMultistepScheduler(final_sigmas_type=kind)
        s.set_timesteps(7)
        x, raised = torch.full((1, 1, 1, 1), 500.0), None
        for k, t in enumerate(s.timesteps):
            s.scale_model_input(x, t)
            try:
                x = s.step(torch.zeros_like(x), t, x, return_dict=False)[0]
            except RecursionError as error:
                raised = f"step {k} raises RecursionError: {error}"
                break
        last = ", ".join(f"{sigma:.3f}" for sigma in s.sigmas[-3:].tolist())
        print(f"{kind}, n = 7: last sigmas {last}; {raised or 'it ends'}")
        assert bool(raised) == (kind == "sigma_min")


if __name__ == "__main__":
    main()
