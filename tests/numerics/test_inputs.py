"""An error names the argument, its value and what was expected."""

import numpy as np
import pytest

from numerics import inputs


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: inputs.finite("data", [[1.0, np.nan]]), "data[0, 1] is nan; expected a finite number"),
        (lambda: inputs.finite("data", [1.0, np.inf]), "data[1] is inf; expected a finite number"),
        (lambda: inputs.finite("data", np.ones((3, 2)), ("N", 3)), "data has shape (3, 2); expected (N, 3)"),
        (lambda: inputs.finite("data", np.ones((0,)), ("N",)), "data has shape (0,); expected (N,)"),
        (lambda: inputs.finite("data", 1.0, ("N",)), "data has shape (); expected (N,)"),
        (lambda: inputs.finite("data", [[1.0], [1.0, 2.0]]), "data is [[1.0], [1.0, 2.0]]; expected numbers, "),
        (lambda: inputs.finite("data", "two"), "data is 'two'; expected numbers, in an array without gaps"),
        (lambda: inputs.finite("data", [1.0, True]), "data is [1.0, True]; expected numbers, in an array without gaps"),
        (lambda: inputs.finite("data", np.array([True])), "data is array([ True]); expected numbers"),
        (lambda: inputs.finite("data", ["1"]), "data is ['1']; expected numbers"),
        (lambda: inputs.positive("variance", 0.0), "variance is 0; expected a number above 0"),
        (lambda: inputs.positive("variance", [1.0, -2.0]), "variance[1] is -2; expected a number above 0"),
        (lambda: inputs.positive("variance", np.nan), "variance is nan; expected a finite number"),
        (lambda: inputs.probability("prior", 1.5), "prior is 1.5; expected a probability in [0, 1]"),
        (lambda: inputs.probability("prior", [0.2, -0.1]), "prior[1] is -0.1; expected a probability in [0, 1]"),
        (lambda: inputs.probability("prior", 1.0, open=True), "prior is 1; expected a probability strictly between 0 "),
    ],
)
def test_what_is_wrong_is_named(call, message):
    with pytest.raises(ValueError) as news:
        call()
    assert str(news.value).startswith(message)


def test_what_is_right_comes_back_as_an_array_of_its_own():
    given = np.array([0.25, 0.75])
    for asked in (inputs.finite, inputs.positive, inputs.probability):
        back = asked("weights", given)
        assert np.array_equal(back, given)
        assert back is not given
    assert inputs.finite("data", [[1, 2, 3]], ("N", 3)).shape == (1, 3)
    assert inputs.probability("prior", [0, 1]).tolist() == [0, 1]
