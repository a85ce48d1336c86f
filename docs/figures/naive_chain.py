"""The figure of the README: the exact reverse chain and the naive one, on DDPM's schedule with T = 1000.

python docs/figures/naive_chain.py        writes naive_chain.svg beside this file
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from numerics.schedules import linear
from numerics.worlds import mixture

PARTICLES, SHOWN = 4000, 12
BLUE, RED, GREY = "#2b6cb0", "#c0392b", "#8a8f98"


def chains(data, schedule, rng):
    """Both chains from the same draws of x_T ~ q_T, with the same noise.

    An array (T + 1, PARTICLES) each, index 0 is the data.
    """
    exact, naive = np.empty((2, schedule.T + 1, PARTICLES))
    exact[-1] = naive[-1] = data.marginal(schedule.alpha_bar(schedule.T)).sample(rng, PARTICLES)
    for t in range(schedule.T, 0, -1):
        step, noise = schedule.step(t), rng.standard_normal(PARTICLES)
        naive[t - 1] = (naive[t] - np.sqrt(step.beta) * noise) / np.sqrt(step.alpha)
        exact[t - 1] = data.reverse_kernel(step, exact[t]).sample(rng)
    return exact, naive


def draw(path):
    data, schedule, rng = mixture([0.3, 0.7], [-1.0, 1.2], [0.06, 0.1]), linear(), np.random.default_rng(7)
    exact, naive = chains(data, schedule, rng)
    times = np.arange(schedule.T + 1)
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "noiseproof"}
    with mpl.rc_context(style):
        figure, (left, middle, right) = plt.subplots(
            1, 3, figsize=(9.6, 2.9), layout="constrained", width_ratios=(1.25, 1, 1)
        )

        v_0, bars = data.variance, np.array([schedule.alpha_bar(t) for t in times])
        v_t = bars * v_0 + 1 - bars
        left.plot(times, np.sqrt((v_t[-1] + 1) * bars / bars[-1] - 1), color=RED, lw=1)
        left.plot(times, np.sqrt(v_t), color=BLUE, lw=1)
        some = slice(0, None, 50)
        left.plot(times[some], naive.std(axis=1)[some], "o", ms=3, color=RED)
        left.plot(times[some], exact.std(axis=1)[some], "o", ms=3, color=BLUE)
        left.set(yscale="log", xlim=(1020, -20), xlabel="t, running down", ylabel="standard deviation")
        left.annotate("naive inversion", (760, 60), color=RED, ha="center")
        left.annotate("Bayes' posterior", (560, 1.35), color=BLUE)

        for chain, colour, axis in ((exact, BLUE, middle), (naive, RED, right)):
            axis.plot(times[::4], chain[::4, :SHOWN], color=colour, lw=0.4, alpha=0.8)
            axis.set(xlim=(1020, -20), xlabel="t, running down")
        middle.set_title("Bayes' posterior: back to the data", fontsize=9, color=BLUE)
        right.set_title("naive inversion: nowhere", fontsize=9, color=RED)
        for mean in data.means:
            middle.axhline(mean, color=GREY, lw=0.6, ls=":")
        figure.savefig(path, metadata={"Date": None})
    return exact, naive


if __name__ == "__main__":
    exact, naive = draw(Path(__file__).with_suffix(".svg"))
    print(f"standard deviation at t = 0: exact {exact[0].std():.3f}, naive {naive[0].std():.1f}")
