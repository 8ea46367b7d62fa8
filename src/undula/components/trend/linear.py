r"""A linear forecast: ridge regression of the window on its history and covariates.

    T − x_0 = W u + b,    u = (history − x_0, x_0, history of covariates, covariates of the window)

with u standardised and x_0 the last value, so that a level that was never seen is no extrapolation of the
changes that follow it. The penalty is chosen on the last fifth of the training windows and the fit repeated
on all. Residuals of windows that it was fitted on are a little smaller than those of others: by a share of
about p/N, with p inputs and N windows that do not overlap.

References:
    Hoerl, Kennard (1970). Ridge regression: biased estimation for nonorthogonal problems. doi:10.2307/1267351
    Zeng, Chen, Zhang, Xu (2023). Are transformers effective for time series forecasting? arXiv:2205.13504
"""

from __future__ import annotations

__all__ = ["LinearTrend"]

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import DataError
from ...core.registry import register
from ...core.trend import BaseTrend
from ...core.types import Series
from ._past import last_value, past_of

_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of standardised inputs, a window."""


@register("trend", "linear")
class LinearTrend(BaseTrend):
    """Ridge regression on history and covariates."""

    needs = "a history; windows of one length"
    any_length = False

    def __init__(self) -> None:
        pass

    def fit(self, x: Series, condition: Condition) -> LinearTrend:
        """Learn the weights; see `BaseTrend.fit`."""
        inputs, last = self._inputs(condition)
        targets = (x.double() - last).flatten(1)
        self.location_, scale = inputs.mean(0), inputs.std(0)
        self.scale_ = torch.where(scale > 0, scale, 1.0)
        u = (inputs - self.location_) / self.scale_
        early = max(int(0.8 * len(u)), 1)
        late = min(early + x.shape[-1], len(u) - 1)  # a gap: neighbours overlap
        errors = [
            (_ridge(u[:early], targets[:early], penalty)(u[late:]) - targets[late:]).square().mean()
            for penalty in _PENALTIES
        ]
        best = _PENALTIES[int(torch.stack(errors).argmin())]
        fitted = _ridge(u, targets, best)
        self.weight_, self.bias_ = fitted.weight, fitted.bias
        self.shape_ = torch.tensor(x.shape[1:])
        return self

    def __call__(self, condition: Condition, channels: int, length: int) -> Series:
        """The forecast, (B, C, L); see `BaseTrend`."""
        if (channels, length) != tuple(self.shape_.tolist()):
            raise DataError(
                f"trend linear was fitted to windows of {int(self.shape_[1])} steps, this has {length}"
            )
        inputs, last = self._inputs(condition)
        u = (inputs - self.location_.to(inputs)) / self.scale_.to(inputs)
        steps = u @ self.weight_.to(inputs) + self.bias_.to(inputs)
        assert condition.past is not None
        return (steps.unflatten(1, (channels, length)) + last).to(condition.past)

    def _inputs(self, condition: Condition) -> tuple[Tensor, Tensor]:
        """What the regression sees, (B, p), and the last values, (B, C, 1)."""
        past = past_of(condition, 1, "linear").double()
        last = last_value(past)
        parts = [torch.nan_to_num(past - last).flatten(1), last.flatten(1)]
        history = condition.sequence.get("history")
        if history is not None:
            parts.append(history[:, past.shape[1] :].to(past).flatten(1))
        covariates = condition.aligned.get("covariates")
        if covariates is not None:
            parts.append(torch.nan_to_num(covariates.to(past)).flatten(1))
        return torch.cat(parts, 1), last


class _Fit:
    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, u: Tensor) -> Tensor:
        return u @ self.weight + self.bias


def _ridge(u: Tensor, y: Tensor, penalty: float) -> _Fit:
    """The weights that make ‖u W + b − y‖² + penalty N ‖W‖² least."""
    middle, mean = u.mean(0), y.mean(0)
    centred = u - middle
    gram = centred.mT @ centred + penalty * len(u) * torch.eye(u.shape[1], dtype=u.dtype, device=u.device)
    weight = torch.linalg.solve(gram, centred.mT @ (y - mean))
    return _Fit(weight, mean - middle @ weight)
