"""Who serves which array, and what is said where nobody does: an error or the fallback, never a wrong number."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from numerics import kernels
from numerics.kernels import Place

F = np.float32
X = np.random.default_rng(0).standard_normal((4, 3)).astype(F)


@pytest.fixture
def installed(monkeypatch):
    """As if nothing else were installed."""

    def only(*names):
        monkeypatch.setattr(kernels, "_installed", {"reference", *names}.__contains__)

    return only


def name_of(module):
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize(
    ("library", "dtype", "have", "backend"),
    [
        ("numpy", "float32", ["numba", "torch", "triton"], "with_numba"),
        ("numpy", "float32", ["torch"], "reference"),
        ("numpy", "float64", ["numba", "torch"], "reference"),
        ("torch", "float32", ["numba", "torch"], "with_numba"),
        ("torch", "float32", ["torch", "triton"], "with_torch"),
        ("torch", "bfloat16", ["numba", "torch"], "with_torch"),
        ("torch", "float64", ["numba", "torch"], "reference"),
    ],
)
def test_who_serves_what(library, dtype, have, backend, installed):
    for needed in {backend.removeprefix("with_"), library} - {"reference", "numpy"}:
        pytest.importorskip(needed)
    installed(*have)
    x = (
        X.astype(dtype)
        if library == "numpy"
        else sys.modules["torch"].from_numpy(X).to(getattr(sys.modules["torch"], dtype))
    )
    assert name_of(kernels.serving(x)) == backend


@pytest.mark.parametrize(
    ("dtype", "have", "able"),
    [
        ("float32", ["triton", "torch"], ["triton", "torch", "reference"]),
        ("bfloat16", ["torch"], ["triton", "torch", "reference"]),
        ("float64", ["triton", "torch"], ["reference", "torch"]),
    ],
)
def test_who_would_serve_a_gpu(dtype, have, able):
    assert kernels._able("torch", "cuda", dtype) == able


@pytest.mark.parametrize(
    ("x", "backend", "error", "message"),
    [
        (
            X.astype(np.float16),
            None,
            TypeError,
            "x has dtype float16; expected float32, float64 or, of torch, bfloat16",
        ),
        (X.astype(int), None, TypeError, "x has dtype int64; expected float32"),
        (X.tolist(), None, TypeError, "x is a list; expected a NumPy array or a torch tensor"),
        (X, "cuda", ValueError, "there is no backend called cuda; expected one of reference, torch, numba, triton"),
        (X, "triton", ValueError, "triton has no kernel for numpy float32 on cpu; these have: numba, reference"),
        (X.astype(float), "numba", ValueError, "numba has no kernel for numpy float64 on cpu; these have: reference"),
        (X, "torch", ValueError, "torch has no kernel for numpy float32 on cpu"),
    ],
)
def test_who_serves_nothing(x, backend, error, message):
    with pytest.raises(error, match=message):
        kernels.serving(x, backend)


def test_a_backend_that_is_not_installed(installed):
    installed("torch")
    with pytest.raises(
        ImportError, match=r"numba is not installed: pip install 'noiseproof\[fast\]', or leave backend"
    ):
        kernels.serving(X, "numba")


# Arrays that a kernel would read or write wrongly


def new():
    return np.full((4, 3), np.nan, F)


BUFFER = np.zeros(40, F)
READ_ONLY = X.copy()
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("outs", "ins", "rows", "error", "message"),
    [
        (
            [new()],
            [X.astype(float)],
            [[1]],
            TypeError,
            "ins.0. is float64 cpu numpy; expected that of outs.0., float32",
        ),
        ([new()], [X.tolist()], [[1]], TypeError, "ins.0. is a list; expected a NumPy array"),
        ([new(), new().astype(float)], [X], [[1], [1]], TypeError, "outs.1. is float64"),
        ([new()], [X[:3]], [[1]], ValueError, r"ins.0. has shape \(3, 3\); expected that of outs.0., \(4, 3\)"),
        ([new()], [X[:, :1]], [[1]], ValueError, r"ins.0. has shape \(4, 1\)"),
        ([new()[::2]], [X[:2]], [[1]], ValueError, r"outs.0. is not contiguous \(shape \(2, 3\)\)"),
        ([new()], [np.asfortranarray(X)], [[1]], ValueError, "ins.0. is not contiguous"),
        ([READ_ONLY], [X], [[1]], ValueError, "outs.0. is read-only"),
        ([new()[0, 0]], [X], [[1]], TypeError, "outs.0. is a float32; expected a NumPy array"),
        (
            [np.array(1, F)],
            [np.array(1, F)],
            [[1]],
            ValueError,
            "expected an array whose first axis is that of particles",
        ),
        ([BUFFER[:12]], [BUFFER[6:18]], [[1]], ValueError, "outs.0. overlaps ins.0. without being the same"),
        ([BUFFER[6:18]], [BUFFER[:12]], [[1]], ValueError, "outs.0. overlaps ins.0. without being the same"),
        ([BUFFER[:12], BUFFER[11:23]], [BUFFER[28:]], [[1], [1]], ValueError, "outs.1. overlaps another output"),
        ([BUFFER[:12], BUFFER[:12]], [BUFFER[28:]], [[1], [1]], ValueError, "outs.1. overlaps another output"),
        ([new()], [X], [[1, 2]], ValueError, "rows = .* expected in each one number for each of the 1 inputs"),
        ([new()], [X], [[1], [1]], ValueError, "there are 1 outputs, 2 rows and 1 inputs"),
        ([new() for _ in range(3)], [X], [[1]] * 3, ValueError, "there are 3 outputs"),
        ([new()], [X] * 5, [[1] * 5], ValueError, "1 outputs, 1 rows and 5 inputs; .* 1 to 4 inputs"),
        ([], [X], [], ValueError, "there are 0 outputs"),
        ([new()], [], [[]], ValueError, "1 rows and 0 inputs"),
        ([new()], [X], [[np.inf]], ValueError, "hold a number that is not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(outs, ins, rows, error, message):
    before = [np.array(out) for out in outs]
    with pytest.raises(error, match=message):
        kernels.combine(outs, ins, rows)
    for out, was in zip(outs, before):
        assert np.array_equal(out, was, equal_nan=True)


def test_noise_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="noise = nan hold a number that is not finite"):
        kernels.combine([new()], [X], [[1.0]], np.nan)


def test_tensors_that_do_not_fit_are_refused():
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(X)
    for out, ins, error, message in [
        (new(), x, TypeError, "ins.0. is float32 cpu torch; expected that of outs.0., float32 cpu numpy"),
        (x.clone().requires_grad_(), x, ValueError, "outs.0. wants a gradient, and kernels have none"),
        (torch.empty(3, 4).T, x, ValueError, "outs.0. is not contiguous"),
        (torch.empty(4, 3, device="meta"), x, TypeError, "ins.0. is float32 cpu torch; .* float32 meta torch"),
    ]:
        with pytest.raises(error, match=message):
            kernels.combine([out], [ins], [[1.0]])
    out = torch.full((4, 3), torch.nan)
    for backend in ("reference", "torch", None):  # or one would refuse it, one ignore it, and one write it into out
        with pytest.raises(ValueError, match=r"ins.0. wants a gradient, and kernels have none"):
            kernels.combine([out], [x.clone().requires_grad_()], [[1.0]], backend=backend)
    kernels.combine([out], [torch.nn.Parameter(x, requires_grad=False)], [[2.0]])
    assert torch.equal(out, 2 * x)


@pytest.mark.parametrize("backend", ["reference", "numba", "torch"])
def test_outputs_are_written_everywhere_and_inputs_nowhere(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    as_array = sys.modules["torch"].from_numpy if backend == "torch" else np.asarray
    out, other, x = (as_array(array) for array in (new(), new(), X.copy()))
    kernels.combine([out, other], [x], [[2.0], [3.0]], 0.5, Place(1), backend)
    z = as_array(new())
    kernels.normal(z, Place(1), backend)
    assert np.allclose(out, 2 * X + 0.5 * np.asarray(z), rtol=0, atol=1e-6)
    assert np.array_equal(other, F(3) * X)
    assert np.array_equal(x, X)


@pytest.mark.parametrize("backend", ["reference", "numba", "torch"])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_an_output_may_be_several_inputs(noise, backend):
    if backend != "reference":
        pytest.importorskip(backend)
    as_array = sys.modules["torch"].from_numpy if backend == "torch" else np.asarray
    out, other, z = as_array(X.copy()), as_array(X[::-1].copy()), np.empty_like(X)
    kernels.normal(z, Place(1))
    kernels.combine([out], [out, other, out], [[2.0, 3.0, 5.0]], noise, Place(1), backend)
    assert np.allclose(out, 7 * X + 3 * X[::-1] + noise * z, rtol=0, atol=1e-5)


# Places


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"seed": -1}, r"seed is -1; expected an integer from 0 to 2\^64 - 1"),
        ({"seed": 2**64}, r"seed is 18446744073709551616; expected"),
        ({"seed": 1.0}, r"seed is 1.0; expected an integer"),
        ({"stream": 2**32}, r"stream is 4294967296; expected an integer from 0 to 2\^32 - 1"),
        ({"first": 2**64}, "first is 18446744073709551616"),
        ({"n": 2**34}, r"n is 17179869184; expected an integer from 0 to 2\^34 - 1"),
    ],
)
def test_places_that_there_are_not(place, message):
    with pytest.raises(ValueError, match=message):
        Place(**place)


@pytest.mark.parametrize("place", [Place(n=2**34 - 2), Place(first=2**64 - 3)])
def test_an_array_may_not_reach_beyond_the_last_place(place):
    out = new()
    with pytest.raises(ValueError, match=r"(n is 17179869184|first is 18446744073709551616); expected an integer"):
        kernels.normal(out, place)
    assert np.all(np.isnan(out))
    kernels.normal(out, Place(n=2**34 - 3, first=2**64 - 4, seed=np.uint64(3)))
    assert not np.any(np.isnan(out))


# What is loaded, and where compiled code is kept


def test_nothing_heavy_is_loaded_before_it_is_used():
    code = """
import sys
import numpy as np
from numerics import kernels
kernels.normal(np.empty((2, 2)), kernels.Place())
print(*sorted({"torch", "numba", "triton"} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []


def test_where_no_cache_can_be_written_one_line_says_so(monkeypatch):
    pytest.importorskip("numba")
    from numerics.kernels import numba_noise

    def njit(cache=False, **options):
        def decorate(function):
            if cache:
                raise RuntimeError("cannot cache function 'f': no locator available")
            return function

        return decorate

    def same(x):
        return x

    monkeypatch.setattr(numba_noise, "njit", njit)
    with pytest.warns(UserWarning, match="kernels are compiled anew in every process .* set NUMBA_CACHE_DIR"):
        assert numba_noise.compiled(same) is same
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(numba_noise, "njit", lambda **options: lambda function: function)
        assert numba_noise.compiled(same) is same
