"""k-diffusion's sample_dpmpp_3m_sde with eta=0: the weights of the third step, and the order."""

import itertools

import k_diffusion.sampling
import numpy as np
import torch

VERSION = {"k-diffusion": "0.1.1.post1"}
MEAN, VARIANCE = 0.4, 0.6


def run(model: object, x: torch.Tensor, sigmas: np.ndarray, seen: list[float]) -> torch.Tensor:
    """A run without noise; what x is before each step is noted down."""
    note = lambda told: seen.append(told["x"].flatten()[0].item())
    options = {"eta": 0.0, "noise_sampler": lambda *_: 0.0, "callback": note, "disable": True}
    return k_diffusion.sampling.sample_dpmpp_3m_sde(model, x, torch.from_numpy(sigmas), **options)


def weights(nodes: np.ndarray, h: float) -> np.ndarray:
    """The integrals of exp(u - h) L_j(u) over a step of length h, L_j the polynomials of Lagrange on the nodes."""
    u, w = np.polynomial.legendre.leggauss(20)
    u, w = h * (u + 1) / 2, w * h / 2
    lagrange = [np.prod([(u - b) / (a - b) for b in nodes if b != a], axis=0) for a in nodes]
    return np.array([np.sum(w * np.exp(u - h) * each) for each in lagrange])


def main() -> None:
    sigmas = np.array([8.0, 5.0, 3.0, 2.0])
    lambdas, got = -np.log(sigmas), []
    for j in range(3):
        said, seen = iter(np.eye(3)[j]), []
        model = lambda x, *_, said=said: torch.full_like(x, next(said))
        end = run(model, torch.zeros(1, 1, dtype=torch.float64), sigmas, seen)
        got.append(end.item() - sigmas[3] / sigmas[2] * seen[2])
    h = lambdas[3] - lambdas[2]
    expected = weights(lambdas[:3] - lambdas[2], h)
    for j in range(3):
        print(f"third step, sigma 3 to 2: weight of prediction {j}: expected {expected[j]:.6f} got {got[j]:.6f}")
    divided = np.array([1 / np.prod([a - b for b in lambdas[:3] if b != a]) for a in lambdas[:3]])
    curvature = 2 * (1 - h + h * h / 2 - np.exp(-h))  # of the divided difference, which is half the second derivative
    off = (expected - got) / divided
    print(f"weight of the divided difference: expected {curvature:.6f} got {curvature - off[0]:.6f}")
    assert np.allclose(off, curvature / 2, rtol=1e-6)

    model = lambda x, sigma, **_: MEAN + VARIANCE / (VARIANCE + sigma[:, None] ** 2) * (x - MEAN)
    z = torch.linspace(-2, 2, 101, dtype=torch.float64)[:, None]
    start, exact = MEAN + z * (100**2 + VARIANCE) ** 0.5, MEAN + z * (0.05**2 + VARIANCE) ** 0.5
    counts = (24, 48, 96, 192)
    errors = [(run(model, start, np.geomspace(100, 0.05, n + 1), []) - exact).abs().max().item() for n in counts]
    orders = [np.log2(a / b) for a, b in itertools.pairwise(errors)]
    print("errors", *(f"{e:.2e}" for e in errors), " orders", *(f"{o:.2f}" for o in orders))
    assert orders[-1] < 2.25

    for name in ("sample_dpmpp_2m_sde", "sample_dpmpp_3m_sde"):
        try:
            sample = getattr(k_diffusion.sampling, name)
            sample(model, start, torch.tensor([80.0, 0.0]), noise_sampler=lambda *_: 0.0, disable=True)
        except UnboundLocalError as error:
            print(f"{name}, one step: {error!r}")
        else:
            raise AssertionError(name)


if __name__ == "__main__":
    main()
