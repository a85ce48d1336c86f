"""What does one reverse step cost, around a network output that is given?

64 images of 3x64x64 in single precision, at t = 500 of DDPM's linear schedule of 1000 steps.  Every call draws its own
noise, by torch's generator on all sides, and that is most of what our step costs.  The peers ask the system for fresh
memory in every step; how long that takes depends on the machine's mood, hence their wide ranges.
"""

import time

import numpy as np
import pytest

from benchmarks.paired import paired
from numerics import schedules
from numerics.solvers.ancestral import ddpm, ddpm_step

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers", reason="diffusers is the peer: pip install 'noiseproof[peers]'")

pytestmark = [pytest.mark.benchmark(timer=time.process_time), pytest.mark.usefixtures("one_thread")]

SHAPE, SCHEDULE, T_NOW = (64, 3, 64, 64), schedules.linear(), 500
STEP = SCHEDULE.step(T_NOW)
ROUNDING = 2.0**-24  # relative, of one operation in single precision


def test_stochastic_step(benchmark, report):
    """A step of DDPM beside DDPMScheduler.step of diffusers, and beside the formula as one writes it in torch."""
    torch.manual_seed(time.time_ns())  # other images every time: nothing can have been tuned to them
    x_t, predicted_noise, x_prev = torch.randn(SHAPE), torch.randn(SHAPE), torch.full(SHAPE, torch.nan)
    row, scheduler = ddpm(STEP), diffusers.DDPMScheduler(num_train_timesteps=SCHEDULE.T, clip_sample=False)

    def ours(generator=None):
        return ddpm_step(x_t, predicted_noise, x_prev.normal_(generator=generator), row, out=x_prev)

    def by_diffusers(generator=None):
        now = T_NOW - 1  # its time begins at 0
        return scheduler.step(predicted_noise, now, x_t, generator=generator).prev_sample

    def by_torch(generator=None):
        noise = torch.randn(SHAPE, generator=generator)
        return row.x_t * x_t + row.predicted_noise * predicted_noise + row.noise * noise

    exact, magnitude = reference(x_t, predicted_noise, noise=torch.randn(SHAPE, generator=seeded(7)))
    peers = {"diffusers": by_diffusers, "torch, as written": by_torch}
    error, *peer_errors = (np.abs(step(seeded(7)).double().numpy() - exact) for step in (ours, *peers.values()))
    # Each term meets four roundings: its coefficient, the product, two sums.
    assert np.all(error <= 4 * ROUNDING * magnitude)
    # Diffusers takes beta from the ratio of two products of t factors.  Anything beyond that would be another step.
    assert np.all(np.maximum(*peer_errors) <= 4 * (T_NOW + 1 / STEP.beta) * ROUNDING * magnitude)

    benchmark(ours)
    if benchmark.disabled:
        return  # beside other workers a ratio would say nothing
    _, ratio = paired(ours, peers)
    peer_error = {peer: e.max() for peer, e in zip(peers, peer_errors)}
    about = {"workload": "step-stochastic", "device": "cpu", "dtype": "float32"}
    report("torch", "diffusers", "numpy", ratio=ratio, error=error.max(), peer_error=peer_error, **about)
    assert all(middle > 1 for _, middle, _ in ratio.values())


def reference(x_t, predicted_noise, noise):
    """The step in double precision by another way, through x_0 and q(x_prev | x_t, x_0), and the size of its terms."""
    x_t, predicted_noise, noise = (x.double().numpy() for x in (x_t, predicted_noise, noise))
    alpha, beta, alpha_bar, alpha_bar_prev = STEP.alpha, STEP.beta, STEP.alpha_bar, STEP.alpha_bar_prev
    x_0 = (x_t - np.sqrt(1 - alpha_bar) * predicted_noise) / np.sqrt(alpha_bar)
    mean = (np.sqrt(alpha_bar_prev) * beta * x_0 + np.sqrt(alpha) * (1 - alpha_bar_prev) * x_t) / (1 - alpha_bar)
    noise = np.sqrt(beta * (1 - alpha_bar_prev) / (1 - alpha_bar)) * noise
    predicted = beta / np.sqrt(1 - alpha_bar) * predicted_noise
    return mean + noise, (np.abs(x_t) + np.abs(predicted)) / np.sqrt(alpha) + np.abs(noise)


def seeded(seed):
    return torch.Generator().manual_seed(seed)
