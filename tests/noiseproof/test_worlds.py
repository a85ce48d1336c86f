"""Worlds by name and from files: what is wrong with a file is said with the key that is wrong."""

import numpy as np
import pytest

from noiseproof.worlds import WORLDS, NoWorld, world


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_by_name_are_laws(name):
    if name == "digits":
        pytest.importorskip("sklearn")
    found = world(name)
    assert np.sum(found.weights) == pytest.approx(1)
    assert np.all(np.isfinite(found.sample(np.random.default_rng(0), 5)))


def test_a_file_describes_a_mixture(tmp_path):
    line = world(written(tmp_path / "line.toml", "weights = [0.3, 0.7]\nmeans = [-1, 2]\nvariances = [0.1, 0.4]\n"))
    assert line.dimension is None
    assert np.array_equal(line.weights, [0.3, 0.7])
    assert np.array_equal(line.variances, [0.1, 0.4])
    text = "means = [[-1, 0], [2, 1.5]]\ncovariances = [[[1, 0.5], [0.5, 2]], [[0.3, 0], [0, 0.3]]]\n"
    plane = world(written(tmp_path / "plane.toml", text))
    assert plane.dimension == 2
    assert np.array_equal(plane.weights, [0.5, 0.5])
    assert np.allclose(plane.covariances[0], [[1, 0.5], [0.5, 2]])
    assert world(written(tmp_path / "one.toml", "means = [[1, 2, 3]]\nvariances = 0.5")).dimension == 3


BAD = [
    ("", "the key means is missing"),
    ("means = [1, 2]", "one of the keys variances and covariances is missing"),
    ("means = [true, false]\nvariances = 1", "means is .*expected numbers"),
    ("means = [1, true]\nvariances = 1", "means is .*expected numbers"),
    ('means = ["1", "2"]\nvariances = 1', "means is .*expected numbers"),
    (
        "means = [[1, 2], [3, 4]]\ncovariances = [[[1, 0], [0, 1]], [[1, 2], [0, 1]]]",
        r"not symmetric, that of component 1: its entries \(0, 1\) and \(1, 0\) are 2 and 0",
    ),
    ("means = [1, 2]\nvariances = 1\ncovariances = 1", "and not both"),
    ("means = [1, 2]\nvariance = 1", "the key variance means nothing here"),
    ("means = [1, nan]\nvariances = 1", r"means\[1\] is nan; expected a finite number"),
    ("means = [1, 2]\nvariances = [1, inf]", r"variances\[1\] is inf"),
    ("means = [1, 2]\nvariances = [1, 0]", r"variances\[1\] is 0; expected a number above 0"),
    ("means = [1, 2]\nvariances = [1, -3]", r"variances\[1\] is -3"),
    ("means = [1, 2]\nvariances = [1, 2, 3]", r"variances has shape \(3,\); expected one number, or 2"),
    ("means = []\nvariances = 1", r"means has shape \(0,\)"),
    ("means = [[1, 2], [3]]\nvariances = 1", "means is .*expected numbers, in an array without gaps"),
    ('means = ["a"]\nvariances = 1', "means is .*expected numbers"),
    ("weights = [1]\nmeans = [1, 2]\nvariances = 1", r"weights has shape \(1,\); expected \(2,\)"),
    ("weights = [0.5, 0.6]\nmeans = [1, 2]\nvariances = 1", "weights has the sum 1.1"),
    ("weights = [-0.5, 1.5]\nmeans = [1, 2]\nvariances = 1", r"weights\[0\] is -0.5"),
    ("means = [1, 2]\ncovariances = [[[1]], [[1]]]", "in one dimension write variances"),
    ("means = [[1, 2]]\ncovariances = [[[1, 2], [0, 1]]]", "covariances holds a matrix that is not symmetric"),
    ("means = [[1, 2]]\ncovariances = [[[1, 2], [2, 1]]]", "covariances holds a matrix with eigenvalue -1"),
    ("means = [[1, 2]]\ncovariances = [1, 2, 3]", r"covariances has shape \(3,\)"),
    ("means = [1", "is no TOML"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message for _, message in BAD])
def test_a_file_that_describes_none_says_which_key_is_wrong(text, message, tmp_path):
    with pytest.raises(NoWorld, match=message) as news:
        world(written(tmp_path / "bad.toml", text))
    assert "bad.toml" in str(news.value)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(NoWorld, match="there is no world called 'moon'; there are point, gaussian"):
        world("moon")
    with pytest.raises(NoWorld, match=r"cannot read .*none.toml: No such file"):
        world(str(tmp_path / "none.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(NoWorld, match="cannot read"):
        world(str(tmp_path / "folder.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NoWorld, match="is no TOML"):
        world(str(tmp_path / "binary.toml"))
