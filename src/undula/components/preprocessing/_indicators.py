r"""Indicators of a price, free of its scale, none of which looks ahead.

With p the close, Δ_t = p_t − p_{t−1}, and means over the last n steps:

    returns n      log(p_t/p_{t−n})
    momentum n     p_t/p_{t−n} − 1
    volatility n   standard deviation (n − 1 in the denominator) of the last n one-step log returns
    sma n          p_t/SMA_n(p) − 1
    ema n          p_t/EMA_n(p) − 1,           EMA: y_t = y_{t−1} + 2/(n+1) (p_t − y_{t−1}), y_0 = p_0
    rsi n          U/(U + D), U and D Wilder's means of max(Δ, 0) and max(−Δ, 0); ½ where nothing moves
    macd f, s, m   (EMA_f − EMA_s)/p, its EMA_m (the signal line), and their difference
    bollinger n    (p − SMA_n)/(k S_n) and 2 k S_n/SMA_n, S_n the standard deviation of p (n in the
                   denominator): the place in the band, −1 and 1 at its edges, and the band's width
    atr n          Wilder's mean of the true range max(h − l, |h − p_{t−1}|, |l − p_{t−1}|), over p;
                   without highs and lows |Δ|, a close-to-close true range

Wilder's mean starts as the mean of the first n and goes on with y_t = y_{t−1} + (x_t − y_{t−1})/n. Before
n steps are there, a mean or lag takes what there is, and what needs a step before the first is neutral
(no return, no spread, RSI ½). Every mean is a product with a lower triangular matrix.

References:
    Wilder (1978). New concepts in technical trading systems (RSI, ATR).
    Appel (2005). Technical analysis: power tools for active investors (MACD).
    Bollinger (2001). Bollinger on Bollinger bands.
"""

from __future__ import annotations

__all__ = ["Parameters", "indicator"]

import functools

import torch
from torch import Tensor

Parameters = tuple[int | float, ...]


def indicator(name: str, parameters: Parameters, close: Tensor, high: Tensor, low: Tensor) -> Tensor:
    """An indicator's channels.

    Args:
        name: such as "rsi".
        parameters: such as (14,).
        close: prices, positive, (B, T), float64.
        high: of each step, (B, T); the close, if it is not known.
        low: of each step, (B, T).

    Returns:
        Shape (B, K, T); step t depends on steps 0 … t.
    """
    found: tuple[Tensor, ...] = _INDICATORS[name](parameters, close, high, low)
    return torch.stack(found, dim=1)


def _returns(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    return (torch.log(close / _before(close, int(n[0]))),)


def _momentum(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    return (close / _before(close, int(n[0])) - 1.0,)


def _volatility(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    steps = torch.log(close[:, 1:] / close[:, :-1])
    spread = _spread(steps, int(n[0]), correction=1)
    return (torch.nn.functional.pad(spread, (1, 0)),)


def _sma(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    return (close / _mean("simple", int(n[0]), close) - 1.0,)


def _ema(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    return (close / _mean("exponential", int(n[0]), close) - 1.0,)


def _rsi(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    moves = close.diff(dim=1)
    gain, loss = (_mean("wilder", int(n[0]), m.clamp(min=0.0)) for m in (moves, -moves))
    total = gain + loss
    share = torch.where(total > 0, gain / torch.where(total > 0, total, 1.0), 0.5)
    return (torch.nn.functional.pad(share, (1, 0), value=0.5),)


def _macd(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    fast, slow, signal = (int(k) for k in n)
    line = _mean("exponential", fast, close) - _mean("exponential", slow, close)
    smooth = _mean("exponential", signal, line)
    return line / close, smooth / close, (line - smooth) / close


def _bollinger(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    middle = _mean("simple", int(n[0]), close)
    half = n[1] * _spread(close, int(n[0]), correction=0)
    place = torch.where(half > 0, (close - middle) / torch.where(half > 0, half, 1.0), 0.0)
    return place, 2.0 * half / middle


def _atr(n: Parameters, close: Tensor, high: Tensor, low: Tensor) -> tuple[Tensor, ...]:
    before = _before(close, 1)
    reach = torch.stack((high - low, (high - before).abs(), (low - before).abs())).amax(0)
    return (_mean("wilder", int(n[0]), reach) / close,)


_INDICATORS = {
    "returns": _returns,
    "momentum": _momentum,
    "volatility": _volatility,
    "sma": _sma,
    "ema": _ema,
    "rsi": _rsi,
    "macd": _macd,
    "bollinger": _bollinger,
    "atr": _atr,
}


def _before(x: Tensor, lag: int) -> Tensor:
    """Each value's predecessor by so many steps, the first one where there is none."""
    steps = torch.arange(x.shape[1], device=x.device)
    return x[:, (steps - lag).clamp(min=0)]


def _mean(kind: str, n: int, x: Tensor) -> Tensor:
    return x @ _weights(kind, n, x.shape[1], x.dtype, x.device).mT


def _spread(x: Tensor, n: int, correction: int) -> Tensor:
    """Moving standard deviation; of as many values as there are, 0 of one."""
    centred = x - x.mean(1, keepdim=True)
    mean = _mean("simple", n, centred)
    count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device).clamp(max=n)
    square = _mean("simple", n, centred.square())
    variance = square - mean.square()
    some = variance > 1e-13 * square  # less is rounding
    variance = torch.where(some, variance, 1.0) * count / (count - correction).clamp(min=1.0)
    return torch.where(some, variance.sqrt(), 0.0)


@functools.lru_cache(maxsize=64)
def _weights(kind: str, n: int, length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Row t: the weights of steps 0 … t in the mean at t, (length, length)."""
    with torch.inference_mode(False):
        t = torch.arange(length, dtype=torch.float64)[:, None]
        j = torch.arange(length, dtype=torch.float64)
        if kind == "simple":
            weights = (j > t - n).double() / (t + 1).clamp(max=n)
        elif kind == "exponential":
            share = 2.0 / (n + 1)
            weights = (1.0 - share) ** (t - j).clamp(min=0)
            weights[:, 1:] *= share
        else:
            faded = (1.0 - 1.0 / n) ** (t - j.clamp(min=n - 1)).clamp(min=0)
            weights = faded / torch.where(j < n, (t + 1).clamp(max=n), float(n))
        return torch.where(j <= t, weights, 0.0).to(dtype).to(device)
