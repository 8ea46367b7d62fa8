r"""What an exported model computes: a denoiser with its preprocessing, as one function of tensors.

    denoised = D(x_t; α, σ, condition)        in the space that is diffused, (B, C', L')
    series   = P⁻¹(denoised)                  in the data's units, (B, L, C)
    noise    = Σ^½ x_t                        only where the noise is coloured

A sampler's last step ends on D itself, so `series` of its last call is the sample.
"""

from __future__ import annotations

__all__ = ["DenoiserGraph", "Input"]

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves

from ..core.condition import Condition
from ..core.errors import IncompatibleError
from ..core.preprocessing import BasePreprocessor
from ..core.registry import Registry
from ..core.sde import NoiseLevel
from ..data.collation import Collator
from ..diffusion.denoiser import NetDenoiser

_DERIVED = ("observed",)
"""Parts that the graph makes itself: when sampling, every element is observed."""


@dataclass(frozen=True)
class Input:
    """An input of the graph.

    Args:
        name: such as x_t.
        dtype: of its numbers.
        shape: axes: B (the batch), L (steps of the data), L' (steps of what is diffused) or a number.
        meaning: in a few words, with units.
        columns: names of its channels, for condition parts.
    """

    name: str
    dtype: torch.dtype
    shape: tuple[str | int, ...]
    meaning: str
    columns: tuple[str, ...] = ()


class DenoiserGraph(nn.Module):
    """The function that is exported.

    Args:
        denoiser: the trained network with its preconditioning.
        preprocessing: fitted.
        collator: what the condition parts are, and their scales.
        length: steps of the data's windows from which the shapes follow.

    Raises:
        IncompatibleError: if the network is told something that the graph cannot make.
    """

    location: Tensor
    scale: Tensor
    start_location: Tensor
    start_spread: Tensor

    def __init__(
        self, denoiser: NetDenoiser, preprocessing: BasePreprocessor, collator: Collator, length: int
    ) -> None:
        super().__init__()
        self.denoiser, self.preprocessing, self.collator = denoiser, preprocessing, collator
        self.network = denoiser.network
        self.register_buffer("location", torch.tensor(collator.location, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(collator.scale, dtype=torch.float64))
        for name in ("location", "spread"):
            self.register_buffer(f"start_{name}", torch.tensor(getattr(collator.start, name)).double())
        known = {"history", "covariates", "static", "at_start", *_DERIVED}
        if unknown := set(collator.layout.parts) - known:
            raise IncompatibleError(f"export does not know the condition part {min(unknown)!r} of this model")
        self.channels, self.length = preprocessing.shape(len(collator.columns), length)
        self.coloured = Registry.name(denoiser.path.noise) != "standard"
        self.inputs = self._inputs()

    @property
    def outputs(self) -> list[str]:
        """Names of what the graph gives, in order."""
        return ["denoised", "series", *(["noise"] if self.coloured else [])]

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        """The outputs; the inputs stand in the order of `inputs`."""
        if not torch.compiler.is_exporting():
            return self._outputs(values)
        with _ConstantsAreComputed():
            return self._outputs(values)

    def _outputs(self, values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        given = dict(zip((i.name for i in self.inputs), values, strict=True))
        x_t = given["x_t"]
        numbers = {
            name: given[name][:, None, None]
            for name in ("alpha", "sigma", "alpha_dot", "sigma_dot")
            if name in given
        }
        level = NoiseLevel(t=float("nan"), **numbers)
        condition = self._condition(given)
        like = self.preprocessing.inverse_transform(x_t, condition)  # for its shape
        told = self.preprocessing.condition(condition, like)
        denoised = self.denoiser(x_t, level, told)
        series = self.preprocessing.inverse_transform(denoised.double(), condition).transpose(1, 2)
        if not self.coloured:
            return denoised, series
        return denoised, series, self.denoiser.path.noise.colour(x_t, told)

    def _inputs(self) -> list[Input]:
        """The inputs that this model has."""
        c, layout = self.collator, self.collator.layout
        names: list[tuple[str, str]] = [("alpha", "α(t), the signal's scale"), ("sigma", "σ(t), the noise's")]
        if self.denoiser.base is None and self.denoiser.parametrization.prediction == "velocity":
            names += [("alpha_dot", "dα/dt"), ("sigma_dot", "dσ/dt")]
        single, double, flag = torch.float32, torch.float64, torch.bool
        found = [Input("x_t", single, ("B", self.channels, "L'"), "the noisy series, in what is diffused")]
        found += [Input(name, double, ("B",), meaning) for name, meaning in names]
        if "history" in layout.sequence:
            columns = (*c.columns, *c.known, *c.past)
            meaning = "the steps before the window, in the data's units" + (
                "; NaN where a column to generate is missing" if c.masked else ""
            )
            found.append(Input("history", double, ("B", c.history_len, len(columns)), meaning, columns))
        if c.known:
            meaning = "what is known of the window's steps, in the data's units"
            found.append(Input("covariates", double, ("B", "L", len(c.known)), meaning, tuple(c.known)))
        if c.static:
            meaning = "what is constant within a series, in the data's units"
            found.append(Input("static", double, ("B", len(c.static)), meaning, tuple(c.static)))
        if c.start.columns:
            meaning = "values in the row before the window, in the data's units"
            columns = tuple(c.start.columns)
            found.append(Input("at_start", double, ("B", len(columns)), meaning, columns))
        meaning = "true: the model is not told {}, and uses what it has learned for that"
        return found + [
            Input(f"dropped_{name}", flag, ("B",), meaning.format(name)) for name in layout.droppable
        ]

    def _condition(self, given: dict[str, Tensor]) -> Condition | None:
        """What `Collator.condition` makes of a batch that is to be generated."""
        c = self.collator
        if not c.layout.parts:
            return None
        channels, known, x_t = len(c.columns), len(c.known), given["x_t"]
        first_static = channels + known + len(c.past)
        sequence, aligned, static, past = {}, {}, {}, None
        if "history" in given:
            past = given["history"].transpose(1, 2)[:, :channels]
            scaled = self._scaled(given["history"], 0).transpose(1, 2)
            target = _without_gaps(scaled[:, :channels])
            parts = [target, scaled[:, channels:]]
            if c.masked:
                parts.append((~torch.isnan(past)).double())
            sequence["history"] = torch.cat(parts, dim=1).float()
        if "covariates" in given:
            aligned["covariates"] = _without_gaps(
                self._scaled(given["covariates"], channels).transpose(1, 2)
            ).float()
        if c.masked:
            length = given["covariates"].shape[1] if known else x_t.shape[-1]
            aligned["observed"] = x_t.new_ones((x_t.shape[0], channels, length))
        if "static" in given:
            static["static"] = self._scaled(given["static"], first_static).float()
        if "at_start" in given:
            seen = torch.log(given["at_start"]) if c.start.scale == "log" else given["at_start"]
            static["at_start"] = ((seen - self.start_location) / self.start_spread).float()
        dropped = {
            name: given[f"dropped_{name}"] for name in c.layout.droppable if f"dropped_{name}" in given
        }
        return Condition(sequence=sequence, aligned=aligned, static=static, past=past, dropped=dropped)

    def _scaled(self, values: Tensor, first: int) -> Tensor:
        columns = slice(first, first + values.shape[-1])
        return (values - self.location[columns]) / self.scale[columns]


class _ConstantsAreComputed(TorchFunctionMode):
    """While a graph is traced, whatever depends on learned numbers alone is computed at once.

    What the preprocessing has learned is constant: decisions in Python on it (does this column lie on
    a grid?) are made now, and its arithmetic does not enter the graph.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        leaves = tree_leaves((args, kwargs or {}))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        symbols = any(isinstance(leaf, torch.SymInt | torch.SymFloat | torch.SymBool) for leaf in leaves)
        if not tensors or symbols or any(isinstance(x, FakeTensor) for x in tensors):
            return function(*args, **(kwargs or {}))
        with _disable_current_modes():
            return function(*args, **(kwargs or {}))


def _without_gaps(x: Tensor) -> Tensor:
    """Zero, the mean, where a value is missing."""
    return torch.where(torch.isnan(x), torch.zeros_like(x), x)
