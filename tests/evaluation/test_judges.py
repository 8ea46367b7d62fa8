"""Judges that are trained: their networks against torch's, known answers, what must not leak."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from undula.core.errors import DataError
from undula.evaluation.boosting import boosting_features, boosting_scores
from undula.evaluation.discriminative import discriminative_scores
from undula.evaluation.pairs import Pair, Side, split
from undula.evaluation.predictive import predictive_scores
from undula.evaluation.recurrent import RecurrentCrowd


def ar1(n: int, phi: float, seed: int, columns: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 12, columns))
    for t in range(1, 12):
        x[:, t] = phi * x[:, t - 1] + np.sqrt(1 - phi**2) * x[:, t]
    return x


# -- the crowd ---------------------------------------------------------------------------------------


def test_lstm_is_torchs() -> None:
    crowd = RecurrentCrowd(2, 3, 4, "lstm")
    x = torch.randn(2, 5, 7, 3)
    said = crowd(x, every_step=True)
    for m in range(2):
        own = nn.LSTM(3, 4, batch_first=True)
        order = torch.cat([torch.arange(8), torch.arange(12, 16), torch.arange(8, 12)])  # torch: i, f, g, o
        with torch.no_grad():
            own.weight_ih_l0.copy_(crowd.inputs[m].T[order])
            own.weight_hh_l0.copy_(crowd.states[m].T[order])
            own.bias_ih_l0.copy_(crowd.bias[m, 0][order])
            own.bias_hh_l0.zero_()
        expected = own(x[m])[0] @ crowd.head[m] + crowd.head_bias[m]
        assert torch.allclose(said[m], expected.squeeze(-1), atol=1e-6)


def test_gru_is_its_equations() -> None:
    crowd = RecurrentCrowd(1, 2, 3, "gru")
    x = torch.randn(1, 4, 5, 2)
    w, u, b = crowd.inputs[0], crowd.states[0], crowd.bias[0, 0]
    h = torch.zeros(4, 3)
    for t in range(5):
        driven = x[0, :, t] @ w + b
        update, reset = torch.sigmoid(driven[:, :6] + h @ u[:, :6]).split(3, -1)
        new = torch.tanh(driven[:, 6:] + (reset * h) @ u[:, 6:])
        h = update * h + (1 - update) * new
    expected = (h @ crowd.head[0] + crowd.head_bias[0]).squeeze(-1)
    assert torch.allclose(crowd(x)[0], expected, atol=1e-6)


def test_members_do_not_feel_each_other() -> None:
    crowd = RecurrentCrowd(3, 2, 4)
    crowd(torch.randn(3, 6, 5, 2))[1].sum().backward()
    for parameter in crowd.parameters():
        assert parameter.grad is not None
        assert not parameter.grad[[0, 2]].any()
    assert crowd.states.grad is not None and crowd.states.grad[1].any()


# -- scores -----------------------------------------------------------------------------------------


def test_discriminative_scores_of_the_same_law_and_of_another() -> None:
    real = ar1(600, 0.0, 0)
    pairs = [Pair.of(ar1(600, 0.0, 1), real), Pair.of(ar1(600, 0.0, 2) + 1.0, real)]
    scores = discriminative_scores(pairs, repeats=2, steps=150, hidden=8)
    assert scores.shape == (2, 2)
    assert scores[0].max() < 0.12
    assert scores[1].min() > 0.3
    again = discriminative_scores(pairs, repeats=2, steps=150, hidden=8)
    assert np.array_equal(scores, again)


def test_a_pairs_score_does_not_depend_on_the_other_pairs_data() -> None:
    """Its batches and split come from a generator of its own."""
    real, a, b = ar1(200, 0.0, 0), ar1(200, 0.9, 1), ar1(200, 0.5, 2)
    first = discriminative_scores([Pair.of(a, real), Pair.of(b, real)], repeats=1, steps=40)
    second = discriminative_scores([Pair.of(a, real), Pair.of(real, real)], repeats=1, steps=40)
    assert first[0] == pytest.approx(second[0])


def test_predictive_score_of_noise_and_of_a_column_that_can_be_told() -> None:
    """The last column follows the first by one step: told by windows that have it, not by noise."""
    rng = np.random.default_rng(0)
    driver = rng.uniform(size=(500, 12))
    told = np.stack([driver, np.roll(driver, 1, axis=1)], 2)
    noise = rng.uniform(size=(500, 12, 2))
    scores = predictive_scores([Pair.of(told, told), Pair.of(noise, told)], repeats=2, steps=600)
    assert scores[1].mean() == pytest.approx(0.25, abs=0.03)  # E|U − ½|
    assert scores[0].mean() < 0.7 * scores[1].mean()


def test_boosting_sees_order_between_columns_and_nothing_in_equal_laws() -> None:
    rng = np.random.default_rng(0)

    def bars(n: int, ordered: bool) -> np.ndarray:
        low, gap = rng.normal(size=(n, 8)), np.abs(rng.normal(size=(n, 8)))
        return np.stack([low, low + gap if ordered else low + gap * rng.choice([-1, 1], (n, 8))], 2)

    real = bars(400, True)
    scores = boosting_scores([Pair.of(bars(400, True), real), Pair.of(bars(400, False), real)], repeats=2)
    assert scores[0].mean() == pytest.approx(0.5, abs=0.08)
    assert scores[1].mean() > 0.95


def test_boosting_features_of_many_columns_stay_few() -> None:
    few, many = np.zeros((2, 24, 6)), np.zeros((2, 24, 28))
    assert boosting_features(few).shape[1] == 24 * 6 + 23 * 6 + 24 * 15 + 12
    assert boosting_features(many).shape[1] == 24 * 28 + 23 * 28 + 24 * 27 + 56


def test_missing_values_are_refused() -> None:
    x = ar1(20, 0.0, 0)
    x[3, 2] = np.nan
    with pytest.raises(DataError, match="whole windows"):
        boosting_scores([Pair.of(x, x)])


# -- splits ------------------------------------------------------------------------------------------


def test_groups_are_not_split() -> None:
    groups = np.repeat(np.arange(12), 7)
    train, test = split(Side(np.zeros((84, 2, 1)), groups), np.random.default_rng(0))
    assert not set(groups[train]) & set(groups[test])
    assert len(train) + len(test) == 84
    assert 0.6 < len(train) / 84 < 0.95


def test_neighbours_on_both_sides_of_a_split_would_tell() -> None:
    """Windows of two walks: with a random split a judge knows the neighbours, with groups it does not."""

    def walk(seed: int) -> np.ndarray:
        x = np.cumsum(np.random.default_rng(seed).normal(size=3000))
        return np.lib.stride_tricks.sliding_window_view(x, 10)[..., None]

    a, b = walk(1), walk(2)
    groups = np.arange(len(a)) // 150
    random = boosting_scores([Pair(Side(a), Side(b))], repeats=1)[0, 0]
    whole = boosting_scores([Pair(Side(a, groups), Side(b, groups))], repeats=1)[0, 0]
    assert random > 0.85
    assert whole < random - 0.1
