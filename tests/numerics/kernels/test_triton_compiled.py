"""What the Triton kernels are compiled to for sm_90, without a device: no spills, no local memory, few instructions."""

# pyright: reportMissingImports=false

import numpy as np
import pytest

from numerics.kernels.places import Place
from numerics.kernels.steps import NOISE, OF_HELD, Steps
from tests.numerics.kernels.apart import compiled
from tests.numerics.kernels.offline import Launches

BYTES = {"float32": 4, "bfloat16": 2}
ELEMENTS = 16  # of a row, that a thread has
SLOW = pytest.mark.slow


def kept_in_registers(compiled):
    assert compiled.usage["STACK"] == compiled.usage["LOCAL"] == 0, compiled.usage
    assert compiled.counted("LDL") == compiled.counted("STL") == 0, compiled.opcodes
    return compiled


def launched(module, name, call):
    """The one kernel of this name that a call launches."""
    with pytest.MonkeyPatch.context() as patch:
        launches = Launches(getattr(module, name))
        patch.setattr(module, name, launches)
        call()
    (found,) = launches.compiled
    return kept_in_registers(found)


def row(outs, ins, shape, noise, dtype):
    import torch

    from numerics.kernels import with_triton

    arrays = [torch.zeros(shape, dtype=getattr(torch, dtype)) for _ in range(outs + ins)]
    rows = [[0.5] * ins] * outs
    return launched(
        with_triton, "one_row", lambda: with_triton.combine(arrays[:outs], arrays[outs:], rows, noise, Place())
    )


@compiled
@pytest.mark.parametrize("dtype", BYTES)
@pytest.mark.parametrize(("outs", "ins"), [(1, 2), pytest.param(2, 3, marks=SLOW), pytest.param(2, 4, marks=SLOW)])
@pytest.mark.parametrize("noise", [0.0, 1.0], ids=["", "noise"])
def test_a_row_reads_and_writes_four_elements_at_once(outs, ins, noise, dtype):
    """And each element costs few instructions: 120 of them take as long on an H100 as the bytes of a row in fp32.

    In 16 bits it is half of that, 60.
    """
    found = row(outs, ins, (4, 4096), noise, dtype)
    width = 8 * 4 * BYTES[dtype]
    assert found.counted(f"LDG.E.{width}") == ins * ELEMENTS // 4
    assert found.counted(f"STG.E.{width}") == outs * ELEMENTS // 4
    assert found.opcodes["LDG"] == ins * ELEMENTS // 4
    assert found.opcodes["LDS"] == found.opcodes["STS"] == 0
    assert len(found.instructions) < ELEMENTS * (12 + 5 * outs * ins + (45 if noise else 0))
    assert found.usage["REG"] <= 128  # sixteen warps at a time


@compiled
@pytest.mark.slow
@pytest.mark.parametrize("dtype", BYTES)
@pytest.mark.parametrize("shape", [(300, 3), (300,), (300, 2)], ids=str)
def test_a_row_of_few_coordinates_is_kept_in_registers(shape, dtype):
    row(2, 3, shape, 1.0, dtype)


@compiled
@pytest.mark.parametrize("dtype", BYTES)
@pytest.mark.parametrize("shape", [(4, 4096), pytest.param((300, 3), marks=SLOW)], ids=str)
def test_normals_cost_twenty_wide_products_for_four(shape, dtype):
    """Words are the products of Philox, and no function comes from the hardware that is off by more than 2^-23."""
    import torch

    from numerics.kernels import triton_noise

    out = torch.zeros(shape, dtype=getattr(torch, dtype))
    found = launched(triton_noise, "fill", lambda: triton_noise.normal(out, Place()))
    products = found.counted("IMAD.WIDE") + found.counted("IMAD.HI")
    assert products <= 20 * ELEMENTS // 4 + 8  # and some of addresses
    assert {name for name in found.instructions if name.startswith("MUFU")} <= {"MUFU.RSQ", "MUFU.RCP"}
    assert found.usage["REG"] <= 128


@compiled
@pytest.mark.slow
@pytest.mark.parametrize("place", [Place(2**40, 1, 2**40, 2**33), Place(2**63 + 5, 2**32 - 1, 2**63, 3)], ids=str)
def test_numbers_of_64_bits_are_compiled_too(place):
    import torch

    from numerics.kernels import triton_noise

    launched(triton_noise, "fill", lambda: triton_noise.normal(torch.zeros(4, 7), place))
    chain(2, 3, place=place)


@compiled
@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=SLOW)])
@pytest.mark.parametrize("shape", [(4, 4096), (300,), *(pytest.param((300, d), marks=SLOW) for d in (3, 4))], ids=str)
def test_a_row_of_a_graph_is_kept_in_registers(shape, dtype):
    import torch

    from numerics.kernels import graphs
    from numerics.solvers import grids, methods

    rows = graphs.Rows(
        methods.METHODS["sde-dpmpp-2m"](grids.log_snr(5)), torch.zeros(shape, dtype=getattr(torch, dtype))
    )
    found = launched(graphs, "next_row", lambda: rows(torch.zeros(shape, dtype=getattr(torch, dtype))))
    names = [name.split(".")[0] for name in found.instructions]
    assert names.count("ATOMG") == 1
    counted, last = names.index("ATOMG"), len(names) - 1 - names[::-1].index("LDG")
    assert {"BAR", "MEMBAR"} <= {*names[last:counted]}  # nobody writes where all are while one program still reads it


def chain(d, components, noise=1.0, held=0.0, place=Place()):
    import torch

    from numerics.kernels import triton_chain

    rows, terms = np.ones((3, 5), dtype=np.float32), np.ones((3, components, 4), dtype=np.float32)
    rows[:, NOISE], rows[:, OF_HELD] = noise, held
    steps, x = Steps(rows, terms, np.ones((components, d), dtype=np.float32)), torch.zeros((1 << 20, d))
    kernel = "in_a_lane" if d <= triton_chain.FEW else "across_lanes"
    return launched(triton_chain, kernel, lambda: triton_chain.chain(x, steps, place))


@compiled
@pytest.mark.parametrize("d", [d if d in (2, 16) else pytest.param(d, marks=SLOW) for d in (*range(1, 10), 16, 20, 64)])
@pytest.mark.parametrize("held", [pytest.param(0.0, marks=SLOW), 0.5], ids=["", "remembers"])
def test_a_chain_is_kept_in_registers(d, held):
    """With eight components at a time and more than one time.  Between lanes nothing goes through shared memory."""
    found = chain(d, 16, 1.0, held)
    assert found.opcodes["LDS"] == found.opcodes["STS"] == 0


@compiled
@pytest.mark.parametrize("noise", [0.0, 1.0], ids=["", "noise"])
def test_a_step_of_a_particle_costs_few_instructions(noise):
    """At d = 2 and K = 8: thirteen for each component, and 45 for each normal, of which four share the words."""
    found = chain(2, 8, noise)
    particles = 4  # of a thread
    assert len(found.instructions) < particles * (8 * 13 + 60 + (4 * 45 if noise else 0))
    assert found.counted("MUFU.EX2") == 8 * particles
