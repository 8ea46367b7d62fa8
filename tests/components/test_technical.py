"""Indicators against pandas and published figures; as a condition and as channels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from undula import DiffusionModel
from undula.components.preprocessing._indicators import indicator
from undula.components.preprocessing.raw import RawPreprocessor
from undula.components.preprocessing.technical import TechnicalPreprocessor
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError, DataError, IncompatibleError

T = 120

# J. W. Wilder's RSI as StockCharts' "ChartSchool" publishes it: 14 days of QQQQ closes
QQQQ = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328,
    45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515,
    45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
]  # fmt: skip
QQQQ_RSI = [
    70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46,
    37.30, 33.08, 37.77,
]  # fmt: skip


def prices(seed: int = 0, steps: int = T) -> pd.DataFrame:
    """High, low and close of a random walk."""
    r = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(r.normal(size=steps)) / 50)
    spread = np.abs(r.normal(size=(2, steps)))
    return pd.DataFrame({"high": close + spread[0], "low": close - spread[1], "close": close})


def of(name: str, *parameters: float, table: pd.DataFrame | None = None, ranges: bool = True) -> np.ndarray:
    """An indicator's channels, (K, T)."""
    table = prices() if table is None else table
    close, high, low = (torch.tensor(table[c].to_numpy())[None] for c in ("close", "high", "low"))
    found = indicator(name, parameters, close, high if ranges else close, low if ranges else close)
    return found[0].numpy()


def wilder(values: np.ndarray, n: int) -> np.ndarray:
    """Wilder's mean, as the books say it: the mean of the first n, then a step at a time; NaN before."""
    found = np.full(len(values), np.nan)
    found[n - 1] = values[:n].mean()
    for t in range(n, len(values)):
        found[t] = (found[t - 1] * (n - 1) + values[t]) / n
    return found


def close_enough(ours: np.ndarray, theirs: np.ndarray | pd.Series, known: int) -> bool:
    """Equal wherever theirs is defined, which is at all but the first steps."""
    theirs = np.asarray(theirs, float)
    defined = ~np.isnan(theirs)
    assert defined.sum() == len(theirs) - known
    return bool(np.allclose(ours[defined], theirs[defined], rtol=1e-9, atol=1e-12))


def test_rsi_is_the_published_one() -> None:
    table = pd.DataFrame({"close": QQQQ, "high": QQQQ, "low": QQQQ})
    rsi = 100 * of("rsi", 14, table=table)[0, 14:]
    assert np.allclose(rsi, QQQQ_RSI, atol=0.0051)


def test_rsi_is_wilders() -> None:
    moves = np.diff(prices()["close"])
    up, down = wilder(moves.clip(min=0), 9), wilder((-moves).clip(min=0), 9)
    theirs = 1 - 1 / (1 + up / down)
    assert close_enough(of("rsi", 9)[0, 1:], theirs, 8)


def test_atr_is_wilders_of_the_true_range() -> None:
    table = prices()
    before = table["close"].shift()
    true_range = pd.concat(
        [table["high"] - table["low"], (table["high"] - before).abs(), (table["low"] - before).abs()], axis=1
    ).max(axis=1)
    assert close_enough(of("atr", 14)[0], wilder(true_range.to_numpy(), 14) / table["close"], 13)


def test_atr_without_highs_and_lows_is_of_closes() -> None:
    close = prices()["close"]
    theirs = wilder(close.diff().abs().fillna(0).to_numpy(), 14) / close
    assert close_enough(of("atr", 14, ranges=False)[0], theirs, 13)


def test_averages_returns_and_spreads_are_pandas() -> None:
    close = prices()["close"]
    log = np.log(close)
    assert close_enough(of("sma", 20)[0], close / close.rolling(20).mean() - 1, 19)
    assert close_enough(of("ema", 20)[0], close / close.ewm(span=20, adjust=False).mean() - 1, 0)
    assert close_enough(of("returns", 3)[0], log.diff(3), 3)
    assert close_enough(of("momentum", 10)[0], close.pct_change(10), 10)
    assert close_enough(of("volatility", 20)[0], log.diff().rolling(20).std(), 20)


def test_macd_is_pandas() -> None:
    close = prices()["close"]
    line = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    signal = line.ewm(span=9, adjust=False).mean()
    for ours, theirs in zip(of("macd", 12, 26, 9), (line, signal, line - signal), strict=True):
        assert close_enough(ours, theirs / close, 0)


def test_bollinger_is_pandas() -> None:
    close = prices()["close"]
    middle, spread = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    place, width = of("bollinger", 20, 2.5)
    assert close_enough(place, (close - middle) / (2.5 * spread), 19)
    assert close_enough(width, 5 * spread / middle, 19)


ALL = [
    ("returns", 3), ("momentum", 5), ("volatility", 8), ("sma", 8), ("ema", 8), ("rsi", 7), ("macd", 4, 9, 3),
    ("bollinger", 8, 2.0), ("atr", 7),
]  # fmt: skip


@pytest.mark.parametrize("which", ALL, ids=lambda w: w[0])
def test_nothing_looks_ahead_and_nothing_has_a_scale(which: tuple[str, int]) -> None:
    table = prices()
    found = of(*which)
    later = table.copy()
    later.iloc[60:] *= np.linspace(1.1, 3, T - 60)[:, None]
    changed = of(*which, table=later)
    assert np.allclose(changed[:, :60], found[:, :60], rtol=1e-9, atol=1e-11)
    assert not np.allclose(changed[:, 60], found[:, 60])
    assert np.allclose(of(*which, table=1e4 * table), found, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("which", ALL, ids=lambda w: w[0])
def test_a_price_that_rests_is_neutral(which: tuple[str, int]) -> None:
    flat = pd.DataFrame({"close": [7.3] * 40, "high": [7.3] * 40, "low": [7.3] * 40})
    expected = 0.5 if which[0] == "rsi" else 0.0
    assert np.allclose(of(*which, table=flat), expected, atol=1e-12)


# -- the component ---------------------------------------------------------------------------------

SHORT = {
    "returns": [1], "volatility": [5], "rsi": [5], "macd": [3, 6, 2], "bollinger": [5], "atr": [5], "momentum": [3],
    "sma": [4], "ema": [4],
}  # fmt: skip


def batch(h: int = 12, length: int = 8) -> tuple[torch.Tensor, Condition]:
    """Windows of high, low, close with their histories."""
    rows = torch.from_numpy(prices(1, 400).to_numpy(copy=True)).unfold(0, h + length, 3).contiguous()
    past, x = rows[..., :h], rows[..., h:]
    return x, Condition(sequence={"history": past.float()}, past=past)


def test_as_a_condition_the_history_has_standardised_channels() -> None:
    x, told = batch()
    technical = TechnicalPreprocessor(mode="condition", **SHORT)
    technical.columns = ["high", "low", "close"]
    technical.fit(x, None, told)
    after = technical.condition(told, x)
    assert after is not None
    history = after.sequence["history"]
    layout = technical.layout(Layout(channels=3, length=8, sequence={"history": (3, 12)}))
    assert history.shape[1:] == layout.sequence["history"] == (3 + 12, 12)
    assert layout.channels == 3
    assert torch.equal(history[:, :3], told.sequence["history"])
    added = history[:, 3:].double()
    assert torch.allclose(added.mean((0, 2)), torch.zeros(12, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(added.std((0, 2), correction=0), torch.ones(12, dtype=torch.float64), atol=1e-5)
    rsi = indicator("rsi", (5,), *(told.past[:, c] for c in (2, 0, 1)))
    assert np.corrcoef(rsi[:, 0].flatten(), added[:, 2].flatten())[0, 1] > 1 - 1e-9
    assert torch.equal(technical.transform(x, told), technical.price.transform(x, told))
    assert torch.equal(technical.log_det(x), technical.price.log_det(x))


def test_missing_history_is_carried_forward() -> None:
    x, told = batch()
    technical = TechnicalPreprocessor(close=2, **SHORT).fit(x, None, told)
    past = told.past.clone()
    past[:, :, 5:7] = torch.nan
    past[0] = torch.nan
    filled = past.clone()
    filled[:, :, 5:7] = filled[:, :, 4:5]
    filled[0] = 1.0
    histories = [
        technical.condition(Condition(sequence=told.sequence, past=p), x).sequence["history"]
        for p in (past, filled)
    ]
    assert torch.equal(histories[0], histories[1]) and bool(histories[0].isfinite().all())


def test_an_unknown_history_needs_no_indicators() -> None:
    x, told = batch()
    technical = TechnicalPreprocessor(close=2, **SHORT).fit(x, None, told)
    unknown = Condition(sequence=told.sequence).unconditional()
    assert technical.condition(unknown, x).sequence["history"].shape == (len(x), 15, 12)
    with pytest.raises(DataError, match=r"Condition\.past"):
        technical.condition(Condition(sequence=told.sequence), x)


def test_as_channels_they_go_with_the_price_and_are_dropped() -> None:
    x, told = batch()
    technical = TechnicalPreprocessor(
        mode="channels", close=2, price=RawPreprocessor(method="robust"), **SHORT
    )
    technical.fit(x, None, told)
    z = technical.transform(x, told)
    assert z.shape[1:] == technical.shape(3, 8) == (15, 8)
    assert torch.equal(z[:, :3], technical.price.transform(x))
    z[:, 3:] = 0.0
    assert torch.allclose(technical.inverse_transform(z, told), x, rtol=1e-12)
    whole = torch.cat((told.past, x), dim=2)
    sma = indicator("sma", (4,), *(whole[:, c] for c in (2, 2, 2)))[:, 0, -8:]
    ours = technical.transform(x, told)[:, 7]
    assert np.corrcoef(sma.flatten(), ours.flatten())[0, 1] > 1 - 1e-9, "the history is the warm-up"


def test_atr_says_what_it_is_of() -> None:
    x, told = batch()
    closes = TechnicalPreprocessor(close=2, **SHORT).fit(x, None, told)
    assert closes.notes() == ["technical: atr is of closes alone: no columns high and low"]
    ranges = TechnicalPreprocessor(close=2, high=0, low=1, **SHORT).fit(x, None, told)
    assert ranges.notes() == [] and ranges.columns_.tolist() == [2, 0, 1]


def test_what_cannot_be_is_refused() -> None:
    x, told = batch()
    with pytest.raises(IncompatibleError, match=r"set data\.history_len to 2 or more, or mode: channels"):
        TechnicalPreprocessor(close=2).fit(x)
    with pytest.raises(IncompatibleError, match="volatility 20 needs 21 steps, and there are 12"):
        TechnicalPreprocessor(close=2).fit(x, None, told)
    with pytest.raises(ConfigError, match="which of the 3 columns is the price"):
        TechnicalPreprocessor(**SHORT).fit(x, None, told)
    with pytest.raises(ConfigError, match=r"close = 'clos' is no column \(columns: 0 to 2\)"):
        TechnicalPreprocessor(close="clos", **SHORT).fit(x, None, told)
    with pytest.raises(ConfigError, match="name high and low, or neither"):
        TechnicalPreprocessor(close=2, high=0, **SHORT).fit(x, None, told)
    with pytest.raises(DataError, match="positive prices"):
        TechnicalPreprocessor(close=2, **SHORT).fit(x, None, Condition(past=told.past - 200))
    with pytest.raises(ConfigError, match="fast must be less than slow"):
        TechnicalPreprocessor(macd=[26, 12, 9])
    with pytest.raises(ConfigError, match="every indicator is left out"):
        TechnicalPreprocessor(**{name: [] for name in SHORT})


@pytest.mark.parametrize("mode", ["condition", "channels"])
def test_a_model_learns_with_them_and_is_loaded(mode: str, tmp_path) -> None:
    model = DiffusionModel(
        preprocessing={"type": "technical", "params": {"mode": mode, **SHORT}},
        architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 8}},
        sampler={"type": "heun", "params": {"num_steps": 2}},
        data={"history_len": 12, "predict_len": 6},
        training={"batch_size": 32, "max_steps": 3},
    )
    table = prices(2, 500).round(2)
    model.fit(table)
    drawn = model.sample(3, given=table)
    assert drawn.shape == (3, 6, 3) and np.array_equal(drawn, drawn.round(2))
    assert model.sample(3, unconditional=True).shape == (3, 6, 3)
    model.save(tmp_path)
    assert np.array_equal(DiffusionModel.load(tmp_path).sample(3, given=table), drawn)


def test_bits_of_channels_are_refused() -> None:
    model = DiffusionModel(
        preprocessing={"type": "technical", "params": {"mode": "channels", "close": "close"}},
        architecture={"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}},
        data={"predict_len": 48},
        training={"max_steps": 1},
    ).fit(prices(steps=1600))
    with pytest.raises(
        ConfigError, match=r"'technical' as it is given has none: set evaluation.bits_per_dim: false"
    ):
        model.bits_per_dim(prices(1, 60))
