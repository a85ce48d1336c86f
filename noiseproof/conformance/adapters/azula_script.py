"""A run of a sampler of azula as a script of azula and torch alone."""

from __future__ import annotations

from typing import Any

HEAD = """\
import torch
from azula import noise as schedules
from azula import sample
from azula.denoise import Denoiser, DiracPosterior

draws = []  # normals, and zeros after them
torch.randn_like = lambda x, **_: torch.full(x.shape, float(draws.pop(0) if draws else 0), dtype=x.dtype)
schedule = schedules.{schedule}
"""
TRAINED = '''

def trained(told):
    """Scale and noise at a time."""
    return tuple(part.item() for part in schedule(torch.tensor(told, dtype=torch.float64)))
'''
SEEN = '''

class Asking(Denoiser):
    """A denoiser that asks the network, and keeps what it is handed."""

    def __init__(self, predict):
        super().__init__()
        self.predict, self.handed, self.schedule = predict, [], schedule

    def forward(self, x_t, t, **_):
        self.handed.append(x_t.item())
        p = self.predict(len(self.handed) - 1, t.item(), self.handed[-1]{at})
        return DiracPosterior(torch.full_like(x_t, float(p)))


def seen(x, predict, noise{given}):
    """What the network is handed in a run{of}, and the end."""
    draws[:], asking = noise, Asking(predict)
    x = torch.full((1, 1, 1, 1), float(x), dtype=torch.float64)
    end = sample.{kind}(asking, steps={n}, silent=True, dtype=torch.float64{options})(x)
    return [*asking.handed, end.item()]
'''
WORDS = {  # what is handed in, and the number of steps
    "run": {"given": "", "of": " of {n} steps", "at": "", "n": "{n}"},
    "levels": {"given": ", n={n}", "of": "", "at": ", [part.item() for part in schedule(t)]", "n": "n"},
}


def script(kind: Any, options: dict[str, Any], schedule: str, n: int | None, what: str) -> str:
    """The function ``seen(x, predict, draws)`` or another one: see ``scripts.Tail``.

    Raises LookupError for one that there is not.
    """
    head = HEAD.format(schedule=schedule)
    if what == "trained":
        return head + TRAINED
    if what not in WORDS:
        raise LookupError(f"there is no script of azula for {what}")
    words = {name: word.replace("{n}", str(n)).replace("n=None", "n") for name, word in WORDS[what].items()}
    taken = "".join(f", {name}={value!r}" for name, value in options.items())
    return head + SEEN.format(**words, kind=kind.__name__, options=taken)
