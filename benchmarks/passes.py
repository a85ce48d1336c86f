"""How many full-size tensors does a call read and write?  Counted from what it dispatches, so the same on any device.

What one kernel does in registers needs no pass.  A call that makes a sum of three products by four operations reads and
writes thirteen times what it would have to touch four times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.peers import torch  # which skips where there is none

# Operations that overwrite without a look at what was there, or that ask a tensor for nothing but its shape.
OVERWRITE = {"copy_", "fill_", "zero_", "normal_", "uniform_", "random_"}
SHAPE_ONLY = {"randn_like", "rand_like", "zeros_like", "ones_like", "full_like"}
TOUCH_NOTHING = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}


class Passes(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts, while it is entered, the tensors of at least ``size`` elements that are read and written."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.reads, self.writes = size, 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[-1]
        if name not in TOUCH_NOTHING and not func.is_view:
            self.writes += sum(1 for _ in self._large(out))
            if name not in SHAPE_ONLY:
                self.reads += sum(1 for _ in self._large(list(self._read(func, name, args, kwargs or {}))))
        return out

    def _read(self, func: Any, name: str, args: Any, kwargs: Any) -> Iterator[Any]:
        for k, argument in enumerate(func._schema.arguments):
            value = args[k] if k < len(args) else kwargs.get(argument.name)
            written = argument.alias_info is not None and argument.alias_info.is_write
            if not (written and (argument.kwarg_only or name in OVERWRITE)):
                yield value

    def _large(self, values: Any) -> Iterator[Any]:
        return (
            v for v in torch.utils._pytree.tree_leaves(values) if isinstance(v, torch.Tensor) and v.numel() >= self.size
        )


def passes(call: Callable[[], object], size: int) -> int:
    """Tensors of at least ``size`` elements that a call reads, plus those that it writes."""
    with Passes(size) as seen:
        call()
    return seen.reads + seen.writes
