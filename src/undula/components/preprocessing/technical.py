r"""Technical indicators of a price, as a condition or as channels.

`mode: condition` computes them on the history that the model is told, and adds them to it as further
channels, standardised; what is diffused is the price alone. `mode: channels` computes them over the
window, with the history as warm-up where there is one, and diffuses them beside the price; the inverse
drops them. Either way the series themselves go through `price`, which inverts as it does alone.

The indicators, their formulas and what happens before a window is full: `_indicators`. They are free of
the price's scale and look at no later step.
"""

from __future__ import annotations

__all__ = ["TechnicalPreprocessor"]

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from ...core.condition import Condition, Layout
from ...core.errors import ConfigError, DataError, IncompatibleError
from ...core.preprocessing import BasePreprocessor
from ...core.registry import Registry, register
from ...core.types import Mask, Positive, PositiveInt, Series
from ._indicators import Parameters, indicator

Mode = Literal["condition", "channels"]


@register("preprocessing", "technical")
class TechnicalPreprocessor(BasePreprocessor):
    """Returns, volatility, RSI, MACD, Bollinger bands, ATR, momentum and averages beside the price.

    An indicator has as many copies as its parameter has lengths; an empty list leaves it out.

    Args:
        mode: condition (further channels of the history; needs data.history_len) or channels (further
            channels of what is diffused).
        price: preprocessor of the series themselves; null: raw.
        close: name or number of the column with the price; null: the one called close, or the only one.
        high: column with each step's highest price, for atr; null: the one called high, if any.
        low: column with each step's lowest price; null: the one called low, if any.
        returns: steps of log returns.
        volatility: steps of rolling standard deviations of one-step log returns.
        rsi: steps of Wilder's relative strength index.
        macd: fast, slow and signal steps; empty for none.
        bollinger: steps of Bollinger bands (place in the band, its width).
        bollinger_width: half a band in standard deviations.
        atr: steps of the average true range; from closes alone where high and low are not known.
        momentum: steps of momentum.
        sma: steps of simple moving averages.
        ema: steps of exponential moving averages.
    """

    needs = "a positive price; mode condition needs data.history_len of the longest indicator or more"

    def __init__(
        self,
        mode: Mode = "condition",
        price: BasePreprocessor | None = None,
        close: str | int | None = None,
        high: str | int | None = None,
        low: str | int | None = None,
        returns: Sequence[PositiveInt] = (1,),
        volatility: Sequence[PositiveInt] = (20,),
        rsi: Sequence[PositiveInt] = (14,),
        macd: Sequence[PositiveInt] = (12, 26, 9),
        bollinger: Sequence[PositiveInt] = (20,),
        bollinger_width: Positive = 2.0,
        atr: Sequence[PositiveInt] = (14,),
        momentum: Sequence[PositiveInt] = (10,),
        sma: Sequence[PositiveInt] = (20,),
        ema: Sequence[PositiveInt] = (20,),
    ) -> None:
        self.mode = mode
        self.price: BasePreprocessor = Registry.resolve("preprocessing", "raw" if price is None else price)
        if not self.price.exact:
            raise IncompatibleError(
                f"technical: its price must invert, and {Registry.name(self.price)!r} does not: "
                "put technical before it, as [technical, vae]"
            )
        self.close, self.high, self.low = close, high, low
        self.returns, self.volatility, self.rsi, self.macd = returns, volatility, rsi, macd
        self.bollinger, self.bollinger_width, self.atr = bollinger, bollinger_width, atr
        self.momentum, self.sma, self.ema = momentum, sma, ema
        if len(macd) not in (0, 3):
            raise ConfigError(f"technical: macd = {list(macd)}: give fast, slow and signal steps, or []")
        if macd and macd[0] >= macd[1]:
            raise ConfigError(f"technical: macd = {list(macd)}: fast must be less than slow")
        if not self._asked():
            raise ConfigError("technical: every indicator is left out: name one, or use its price alone")
        self.pointwise = mode == "condition" and self.price.pointwise
        self.any_length, self.snaps = self.price.any_length, self.price.snaps

    # -- fitting -------------------------------------------------------------------------------

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> TechnicalPreprocessor:
        """Fit the price's preprocessor and the indicators' scales; see `BasePreprocessor.fit`.

        Raises:
            ConfigError: if it is not clear which column is the price.
            IncompatibleError: without a history, or with one that is too short.
            DataError: if prices are not positive.
        """
        past = None if condition is None else condition.past
        told = 0 if past is None else past.shape[2]
        if self.mode == "condition":
            self._refuse_short(told, "data.history_len", "or mode: channels")
        else:
            self._refuse_short(told + x.shape[2], "data.predict_len and history_len", "or use fewer")
        self.price.columns = self.columns
        self.price.fit(x, valid, condition)
        self.columns_ = torch.tensor(self._places(x.shape[1]))
        if self.mode == "channels" and self.price.shape(x.shape[1], x.shape[2])[1] != x.shape[2]:
            raise IncompatibleError(
                f"technical: price: {Registry.name(self.price)} changes the number of steps, and channels of "
                "indicators keep it: use mode: condition"
            )
        found = self._indicators(past, x if self.mode == "channels" else None)
        self.location_ = found.mean((0, 2))[:, None]
        spread = found.std((0, 2), correction=0)[:, None]
        self.scale_ = torch.where(spread > 0, spread, 1.0)
        return self

    def notes(self) -> list[str]:
        """What the price's preprocessor found, and which true range ATR is of."""
        close_only = bool(self.atr) and bool((self.columns_[1:] == self.columns_[0]).any())
        said = ["technical: atr is of closes alone: no columns high and low"] if close_only else []
        return [*self.price.notes(), *said]

    # -- there and back ------------------------------------------------------------------------

    def transform(self, x: Series, condition: Condition | None = None) -> Tensor:
        """The price's image; with mode channels, the standardised indicators below it."""
        z = self.price.transform(x, condition)
        if self.mode == "condition":
            return z
        past = None if condition is None else condition.past
        return torch.cat((z, self._scaled(past, x).to(z)), dim=1)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Tensor:
        """The series; indicators that were diffused beside them are dropped."""
        channels = z.shape[1] - (self._count() if self.mode == "channels" else 0)
        return self.price.inverse_transform(z[:, :channels], condition)

    @property
    def has_log_det(self) -> bool:
        """Whether the price has one, and nothing is diffused beside it."""
        return self.mode == "condition" and self.price.has_log_det

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """The price's, (B,); none with mode channels, whose image has more dimensions than x."""
        if self.mode == "channels":
            return super().log_det(x, condition)
        return self.price.log_det(x, condition)

    # -- what the network is built for and told ------------------------------------------------

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """C' and L': the price's, and a channel an indicator with mode channels."""
        channels, length = self.price.shape(channels, length)
        return channels + (self._count() if self.mode == "channels" else 0), length

    def layout(self, layout: Layout) -> Layout:
        """The price's; with mode condition, a wider history."""
        inner = self.price.layout(layout)
        if self.mode == "channels":
            return replace(inner, channels=inner.channels + self._count())
        if "history" not in inner.sequence:
            self._refuse_short(0, "data.history_len", "or mode: channels")
        width, steps = inner.sequence["history"]
        return replace(inner, sequence={**inner.sequence, "history": (width + self._count(), steps)})

    def condition(self, condition: Condition | None, like: Series) -> Condition | None:
        """The price's; with mode condition, the history has the indicators as further channels.

        Where the history is unknown and its learned null is used, they are zeros that nothing reads.
        """
        told = self.price.condition(condition, like)
        if self.mode == "channels" or told is None or condition is None:
            return told
        history = told.sequence["history"]
        if condition.past is not None:
            added = self._scaled(condition.past).to(history)
        else:
            dropped = told.dropped.get("history")
            if dropped is None or not bool(dropped.all()):
                raise DataError("technical: indicators need the history in its units (Condition.past)")
            added = history.new_zeros(len(history), self._count(), history.shape[2])
        return replace(told, sequence={**told.sequence, "history": torch.cat((history, added), dim=1)})

    # -- inside --------------------------------------------------------------------------------

    def _asked(self) -> list[tuple[str, Parameters]]:
        """Name and parameters of each indicator, in the order of the channels."""

        def each() -> Iterator[tuple[str, Parameters]]:
            for name in ("returns", "volatility", "rsi", "momentum", "sma", "ema", "atr"):
                yield from ((name, (n,)) for n in getattr(self, name))
            yield from (("bollinger", (n, self.bollinger_width)) for n in self.bollinger)
            if self.macd:
                yield "macd", tuple(self.macd)

        return list(each())

    def _count(self) -> int:
        """K, the number of channels."""
        return sum({"macd": 3, "bollinger": 2}.get(name, 1) for name, _ in self._asked())

    def _refuse_short(self, steps: int, what: str, other: str) -> None:
        for name, parameters in self._asked():
            needed = int(max(parameters[:1] if name == "bollinger" else parameters))
            needed += name in ("returns", "momentum", "volatility", "rsi", "atr")
            if steps < needed:
                raise IncompatibleError(
                    f"technical: {name} {', '.join(f'{p:g}' for p in parameters)} needs {needed} steps, and "
                    f"there are {steps}: set {what} to {needed} or more, {other}"
                )

    def _places(self, channels: int) -> list[int]:
        """Numbers of the columns close, high and low; the close again where a step's range is unknown."""
        close = self._place("close", self.close, channels)
        if close is None and channels > 1:
            raise ConfigError(
                f"technical: which of the {channels} columns is the price? Name it: close: "
                f"{self.columns[0] if self.columns else 0}"
            )
        close = close or 0
        high, low = self._place("high", self.high, channels), self._place("low", self.low, channels)
        if high is None or low is None:
            if self.high is not None or self.low is not None:
                raise ConfigError("technical: a true range needs both columns: name high and low, or neither")
            high = low = close
        return [close, high, low]

    def _place(self, role: str, wanted: str | int | None, channels: int) -> int | None:
        names = [name.lower() for name in self.columns]
        if wanted is None:
            return names.index(role) if role in names else None
        place = wanted if isinstance(wanted, int) else -1
        if isinstance(wanted, str) and wanted in self.columns:
            place = list(self.columns).index(wanted)
        if not 0 <= place < channels:
            known = ", ".join(self.columns) or f"0 to {channels - 1}"
            raise ConfigError(f"technical: {role} = {wanted!r} is no column (columns: {known})")
        return place

    def _scaled(self, past: Tensor | None, x: Tensor | None = None) -> Tensor:
        found = self._indicators(past, x)
        return (found - self.location_.to(found)) / self.scale_.to(found)

    def _indicators(self, past: Tensor | None, x: Tensor | None) -> Tensor:
        """Indicators of the past, or of x with the past as warm-up, (B, K, steps), float64."""
        parts = [part for part in (past, x) if part is not None]
        prices = _filled(torch.cat([p.double()[:, self.columns_.to(p.device)] for p in parts], dim=2))
        if bool((prices <= 0).any()):
            raise DataError("technical needs positive prices, and there is one of 0 or less: leave it out")
        close, high, low = prices.unbind(1)
        found = [indicator(name, parameters, close, high, low) for name, parameters in self._asked()]
        return torch.cat(found, dim=1)[..., -parts[-1].shape[2] :]


def _filled(prices: Tensor) -> Tensor:
    """Missing prices replaced by the last known one, before the first by that, without any by 1."""
    known = ~prices.isnan()
    steps = torch.arange(prices.shape[2], device=prices.device)
    last = torch.where(known, steps, -1).cummax(2).values
    first = known.double().argmax(2, keepdim=True)
    return prices.gather(2, torch.where(last < 0, first, last)).nan_to_num(nan=1.0)
