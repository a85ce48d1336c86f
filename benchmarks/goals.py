"""What the kernels are held to.  A ratio to a peer below its floor fails the run; the goal is printed beside it.

"bandwidth" is the part of the bandwidth of a copy, "noise and bytes" that of the time that the normals alone and a copy
of the remaining tensors take, both measured in the same rounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.machine import CPU, CUDA

FUSED = {"with_numba": "fast", "with_triton": "gpu"}  # backends, and the extras that bring them

BANDWIDTH, NOISE_AND_BYTES, RATE = "bandwidth", "noise and bytes", "particle-steps per second"
DIFFUSERS, AZULA = "diffusers", "azula"
EAGER, IN_PLACE, COMPILED, GEMM = "torch, as written", "torch, in place", "torch.compile", "torch, by GEMM"
EXPONENT = "exponent"
RANDN, NUMPY = "torch.randn", "numpy"
ALONE = "ours, one call alone"  # which looks at its arrays, as the public call does; a run does so once
REPLAYED = "{}, ours replayed"  # a peer beside ours as a CUDA graph
FRESH = "{}, new process"  # which gets fresh pages from the system for its tensors, as it has freed none before


class Goal(NamedTuple):
    """At least so much, and the floor below which a run fails (None: it is printed and no more).

    Or as much as that, ``within`` so much: anything else fails.
    """

    goal: float
    floor: float | None = None
    within: float | None = None


def against_all(goal: float, floor: float) -> dict[str, Goal]:
    return dict.fromkeys((GEMM, DIFFUSERS, AZULA), Goal(goal, floor))


LARGE = {BANDWIDTH: Goal(0.90, 0.85), DIFFUSERS: Goal(5, 4), COMPILED: Goal(1)}
LINEAR = {EXPONENT: Goal(1.00, within=0.03)}
SMALL = {DIFFUSERS: Goal(10), REPLAYED.format(DIFFUSERS): Goal(25)}

# by device, workload and size; a size that is not named has no goals
GOALS: dict[tuple[str, str, str], dict[str, Goal]] = {
    (CPU, "step-stochastic", "small"): {DIFFUSERS: Goal(6, 5), IN_PLACE: Goal(3.5, 3), NOISE_AND_BYTES: Goal(0.90)},
    (CPU, "step-deterministic", "small"): {
        FRESH.format(DIFFUSERS): Goal(10, 8),  # with memory kept fourteen passes are not ten times three
        IN_PLACE: Goal(1.3, 1.2),
        BANDWIDTH: Goal(0.75, 0.70),
    },
    (CPU, "normals", "small"): {RANDN: Goal(3, 2.5)},
    (CPU, "chain-2-8", "small"): {**against_all(20, 15), COMPILED: Goal(5, 4)},
    (CPU, "chain-16-8", "small"): against_all(8, 6),
    (CPU, "chain-64-16", "small"): against_all(3, 2.5),
    (CPU, "growth", "particles"): LINEAR,
    (CPU, "growth", "steps"): LINEAR,
    (CUDA, "growth", "particles"): LINEAR,
    (CUDA, "growth", "steps"): LINEAR,
    (CUDA, "step-stochastic", "large"): LARGE,
    (CUDA, "step-deterministic", "large"): LARGE,
    (CUDA, "step-stochastic", "small"): SMALL,
    (CUDA, "step-deterministic", "small"): SMALL,
    (CUDA, "chain-2-8", "large"): {RATE: Goal(7e10, 5e10), GEMM: Goal(8), COMPILED: Goal(2)},
}


class Verdict(NamedTuple):
    """One goal beside what was measured."""

    of: str
    measured: float
    goal: float
    floor: float | None
    within: float | None

    @property
    def reached(self) -> bool:
        return self.measured >= self.goal if self.within is None else abs(self.measured - self.goal) <= self.within

    @property
    def failed(self) -> bool:
        if self.within is not None:
            return not self.reached
        return self.floor is not None and self.measured < self.floor

    @property
    def words(self) -> str:
        if self.reached:
            return "reached"
        if self.failed:
            return "BELOW THE FLOOR" if self.within is None else "OUTSIDE"
        return "not reached" if self.floor is None else "above the floor"

    @property
    def wanted(self) -> str:
        """What a run must have so as not to fail."""
        return (
            f"at least {self.floor:g} (goal {self.goal:g})"
            if self.within is None
            else f"{self.goal:g} +- {self.within:g}"
        )


def verdicts(measured: dict[str, Any]) -> list[Verdict]:
    """The goals of a workload whose quantity was measured; a peer that is missing here has no say.

    Goals are those of the fused kernels: where what they need is not installed there are none.
    """
    if measured.get("backend") not in FUSED:
        return []
    found = {peer: middle for peer, (_, middle, _) in measured["ratio"].items()}
    found |= {of: middle for of, (_, middle, _) in measured.get("part_of_floor", {}).items()}
    found |= {of: measured[name] for of, name in ((RATE, "rate"), (EXPONENT, "exponent")) if name in measured}
    goals = GOALS.get((measured["kind"], measured["workload"], measured["size"]), {})
    return [Verdict(of, found[of], *goal) for of, goal in goals.items() if of in found]
