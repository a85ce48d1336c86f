"""All that is asked of tokens is counted right, and the network comes to their laws, or as near as it can."""

from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.discrete import STEPS, THREE, TWO, at_all_times, chain, evidence, least, minimum  # noqa: E402
from models.tokens import Words  # noqa: E402

LAWS = [TWO, THREE]
straight = [at_all_times(lambda u: 1 / u, lambda u: 1 - u, words) for words in LAWS]


def guess(words, seed=5):
    """Any predictions; (K, n)."""
    return np.random.default_rng(seed).dirichlet(np.ones(words.K), size=len(words.masked.state)).T


@pytest.mark.parametrize("words", LAWS)
def test_what_is_behind_a_mask_by_conditioning_the_law(words):
    """Each masked token, given the visible ones: slices of the array, summed over what else is masked."""
    for n, (state, place) in enumerate(zip(words.masked.state, words.masked.place)):
        symbols = words.states[state]
        assert symbols[place] == 0
        law = np.asarray(words.law[tuple(slice(None) if x == 0 else x - 1 for x in symbols)])
        axis = int(np.sum(symbols[:place] == 0))
        law = np.moveaxis(law, axis, 0).reshape(words.K, -1).sum(axis=1)
        assert words.masked.seen[n] == pytest.approx(law.sum())
        np.testing.assert_allclose(words.masked.data[:, n], law / law.sum(), rtol=1e-12)
        assert words.masked.visible[n] == np.sum(symbols > 0)
        assert words.masked.visible[n] + words.masked.hidden[n] == words.d - 1


@pytest.mark.parametrize("words", LAWS)
@pytest.mark.parametrize("alphas", STEPS[1:3])
def test_a_step_backwards_draws_a_token_behind_each_mask_and_shows_it_or_not(words, alphas):
    predicted, (before, now) = guess(words), (np.prod(alphas[:-1]), np.prod(alphas))
    said, shown = words.everywhere(predicted), (before - now) / (1 - now)
    for state, symbols in list(enumerate(words.states))[::5]:
        for back, row in enumerate(words.states):
            each = [
                said[state, i, x - 1] * shown if x > 0 and y == 0 else 1 - shown if y == 0 else x == y
                for i, (x, y) in enumerate(zip(row, symbols))
            ]
            assert words.kernel(alphas, predicted)[state, back] == pytest.approx(np.prod(each), abs=1e-14)


@pytest.mark.parametrize("words", LAWS)
def test_the_bound_is_an_average_over_paths(words):
    """Paths are drawn forwards, and their probabilities are looked up."""
    predicted, rng, n = guess(words), np.random.default_rng(0), 40_000
    kernels = chain(words, predicted)
    x = words.words[rng.choice(words.law.size, size=n, p=words.law.ravel())]
    logs = np.zeros(n)
    for alphas, kernel in zip(STEPS, kernels):
        seen = words.states[x] * (rng.random((n, words.d)) < alphas[-1])
        kept = np.where(words.states[x] > 0, np.where(seen > 0, alphas[-1], 1 - alphas[-1]), 1.0)
        after = seen @ (words.K + 1) ** np.arange(words.d)[::-1]
        logs += np.sum(np.log(kept), axis=1) - np.log(kernel[after, x])
        x = after
    assert np.all(x == 0)
    assert abs(logs.mean() - words.bound(STEPS, kernels)) < 5 * logs.std() / np.sqrt(n)


@pytest.mark.parametrize("words", LAWS)
def test_what_the_chain_makes_is_a_law_of_words_and_costs_more_than_the_entropy(words):
    made = np.eye(len(words.states))[0]
    for kernel in reversed(chain(words, guess(words))):
        made = made @ kernel
    assert made[words.words].sum() == pytest.approx(1)
    assert evidence(words, guess(words)) > words.entropy
    assert words.in_any_order(guess(words)) > words.entropy
    assert words.in_any_order(words.masked.data) == pytest.approx(words.entropy, abs=1e-12)


@pytest.mark.parametrize("words", LAWS)
def test_no_step_that_draws_tokens_by_themselves_is_better_than_the_best(words):
    """It is the one of the true laws behind the masks; any other costs more."""
    best = [words.best_kernel(alphas) for alphas in STEPS]
    assert words.bound(STEPS, best) == pytest.approx(words.bound(STEPS, chain(words, words.masked.data)), abs=1e-12)
    assert words.bound(STEPS, best) < words.bound(STEPS, chain(words, guess(words)))
    assert words.bound(STEPS, best) > words.evidence(best) > words.entropy


def test_the_network_comes_to_any_law_of_two_tokens_and_not_of_three():
    two, three = (words.predicted(minimum(c, words, 0).at) for c, words in zip(straight, LAWS))
    np.testing.assert_allclose(two, TWO.masked.data, atol=1e-5)
    assert np.max(np.abs(three - THREE.masked.data)) > 0.1
    assert THREE.in_any_order(three) > THREE.entropy + 1e-3


def test_a_seed_decides_every_bit_and_another_finds_the_same_loss():
    one, two, other = (minimum(straight[1], THREE, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.at, two.at)
    assert not np.array_equal(one.at, other.at)
    assert one.value == pytest.approx(other.value, abs=1e-9)


def test_a_training_that_is_stopped_says_how_far_it_is():
    value, error, *_ = least(straight[0], 0)
    value, error = np.asarray(value), np.asarray(error)
    assert 0 <= error < 1e-9
    assert abs(value - TWO.entropy) <= error + 1e-13


def test_states_are_in_the_order_of_the_law():
    assert [tuple(x) for x in TWO.states[TWO.words] - 1] == list(product(range(4), repeat=2))


@pytest.mark.parametrize(
    ("law", "message"),
    [
        ([[0.5, 0.6], [0.0, -0.1]], r"law\[1, 1\] is -0.1; expected a probability in \[0, 1\]"),
        ([[0.5, 0.5]], r"law has shape \(1, 2\) and sum 1; expected \(K, ..., K\) and 1"),
        ([[0.5, 0.3], [0.1, 0.0]], r"law has shape \(2, 2\) and sum 0.9; expected \(K, ..., K\) and 1"),
    ],
)
def test_bad_input_is_named(law, message):
    with pytest.raises(ValueError, match=message):
        Words(law)
