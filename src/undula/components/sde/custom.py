r"""A path of the user's own, as two expressions of t.

    sde: {type: custom, params: {alpha_of_t: "cos(pi*t/2)", sigma_of_t: "sin(pi*t/2)"}}

Everything else (derivatives, drift, diffusion, λ and its inverse) is derived. Expressions are parsed
with a whitelist and never executed, so that a model's file stays data.

A path that is more than an expression is a Python class, a subclass of `BaseSDE` with `alpha` and
`sigma`. An object of it can be given as `DiffusionModel(sde=MySDE())`; to be named in a config, saved
and loaded it is registered, `@register("sde", "mine")`, in a file that `plugins` names. Expressions and
classes alike are checked on 1001 times: signs, finite values and derivatives, an SNR that falls
strictly to at most 0.01.

References:
    Song et al. (2021). arXiv:2011.13456, whose f and g follow from any α and σ:
    f = α'/α, g² = −σ² (log α²/σ²)'
"""

from __future__ import annotations

__all__ = ["CustomSDE"]

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from ...core.expression import Expression
from ...core.registry import register
from ...core.sde import BaseSDE


@register("sde", "custom")
@dataclass(frozen=True, kw_only=True)
class CustomSDE(BaseSDE):
    """A path given by two expressions of t, such as "1 - t" and "t".

    Args:
        alpha_of_t: α(t) ≥ 0: numbers, t, pi, + - * / **, and exp, log, sqrt, sin, cos, tan, sinh,
            cosh, tanh, sigmoid.
        sigma_of_t: σ(t) > 0 for t > 0, such that (α/σ)² falls strictly.
    """

    needs = "α ≥ 0, σ > 0 from t_min on, (α/σ)² falling strictly to 0.01 or less at t = 1"

    alpha_of_t: str
    sigma_of_t: str

    def __post_init__(self) -> None:
        _ = self._functions

    @cached_property
    def _functions(self) -> tuple[Expression, Expression]:
        return Expression(self.alpha_of_t, "t"), Expression(self.sigma_of_t, "t")

    def alpha(self, t: Tensor) -> Tensor:
        """The first expression."""
        return self._functions[0](t)

    def sigma(self, t: Tensor) -> Tensor:
        """The second expression."""
        return self._functions[1](t)
