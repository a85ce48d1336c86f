"""Passes are those that one counts by hand."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks.passes import passes  # noqa: E402

N = 64
X, M, OUT = torch.ones(N), torch.ones(N), torch.empty(N)


@pytest.mark.parametrize(
    ("call", "counted"),
    [
        (lambda: X + M, 3),
        (lambda: 2 * X, 2),
        (lambda: torch.add(X, M, out=OUT), 3),  # what is written into is not read
        (lambda: OUT.add_(X), 3),  # here it is
        (lambda: OUT.copy_(X), 2),
        (lambda: OUT.normal_(), 1),
        (lambda: torch.randn_like(X), 1),
        (lambda: torch.empty_like(X), 0),
        (lambda: X.view(8, 8).T[2:], 0),
        (lambda: torch.addcmul(X, M, M), 4),
        (lambda: X.sum(), 1),
        (lambda: X[:8] + M[:8], 0),
        (lambda: 2 * X + 3 * M + 0.1 * torch.randn_like(X), 13),
        (lambda: OUT.normal_().mul_(0.1).add_(X, alpha=2).add_(M, alpha=3), 9),
        (lambda: X.to(torch.bfloat16), 2),
        (lambda: X.to(torch.float32), 0),
    ],
)
def test_they_are_counted(call, counted):
    assert passes(call, N) == counted
