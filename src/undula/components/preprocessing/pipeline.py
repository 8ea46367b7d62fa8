r"""Several maps, one after the other.

    z = f_n(… f_2(f_1(x))),   x = f_1⁻¹(… f_n⁻¹(z)),   log |det ∂z/∂x| = Σ_i log |det ∂f_i|

Each step is fitted on what the steps before it make of the training series, and is told what they
make of the condition. The series' past goes through the steps that act on each element alone; after
a step that does not, the later ones have no past in their units.
"""

from __future__ import annotations

__all__ = ["PipelinePreprocessor"]

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...core.condition import Condition, Layout
from ...core.errors import ConfigError
from ...core.preprocessing import BasePreprocessor, HeldOut
from ...core.randomness import Draws
from ...core.registry import register
from ...core.types import Mask, Series


@register("preprocessing", "pipeline")
class PipelinePreprocessor(BasePreprocessor):
    """Several preprocessors, one after the other; a list means the same.

    Args:
        steps: the preprocessors, the one nearest to the data first.
    """

    needs = "what each of its steps needs, of what the steps before it return"

    def __init__(self, steps: list[BasePreprocessor]) -> None:
        if not steps:
            raise ConfigError("pipeline: steps is empty: name at least one preprocessor, such as raw")
        self.steps = steps
        self.pointwise = all(step.pointwise for step in steps)
        self.any_length = all(step.any_length for step in steps)
        self.snaps = any(step.snaps for step in steps)
        self.exact = all(step.exact for step in steps)
        self.random = any(step.random for step in steps)
        stages = [step.stage_name for step in steps if step.stage_name]
        if len(stages) > 1:
            raise ConfigError(f"pipeline: {len(stages)} steps are trained ({', '.join(stages)}): keep one")
        self.stage_name = stages[0] if stages else ""
        if any(step.calibrates for step in steps[:-1]):
            raise ConfigError(
                "pipeline: only its last step can calibrate: move it there, or set calibrate: false"
            )
        self.calibrates = steps[-1].calibrates

    @property
    def has_log_det(self) -> bool:
        """Whether all steps have one."""
        return all(step.has_log_det for step in self.steps)

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> PipelinePreprocessor:
        """Fit each step on the images of the steps before it; see `BasePreprocessor.fit`."""
        self.shape_ = torch.tensor(x.shape[1:])
        columns: Sequence[str] = self.columns
        held_out, self.held_out = self.held_out, None
        for step in self.steps:
            step.columns = columns if len(columns) == x.shape[1] else ()
            if step.stage_name:
                step.stage, self.stage, step.held_out = self.stage, None, held_out
                held_out = None
            step.fit(x, valid, condition)
            draws = Draws(0, "fit", 0, torch.arange(len(x), device=x.device))
            x, condition = step.draw(x, condition, draws), _told(step, condition, x)
            if held_out is not None:
                told = _told(step, held_out.condition, held_out.x)
                held_out = HeldOut(step.transform(held_out.x, held_out.condition), told)
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Through all steps, first to last."""
        for step in self.steps:
            x, condition = step.transform(x, condition), _told(step, condition, x)
        return x

    def draw(self, x: Series, condition: Condition | None, draws: Draws) -> Tensor:
        """Through all steps, each of which may draw; see `BasePreprocessor.draw`."""
        for step in self.steps:
            x, condition = step.draw(x, condition, draws), _told(step, condition, x)
        return x

    def prior(self, draws: Draws) -> Tensor:
        """What the trained step takes for the distribution of its images, through the steps after it."""
        number = next((i for i, step in enumerate(self.steps) if step.stage_name), 0)
        z = self.steps[number].prior(draws)
        for step in self.steps[number + 1 :]:
            z = step.transform(z)
        return z

    def trained(
        self, x: Series, condition: Condition | None = None
    ) -> tuple[BasePreprocessor, Series] | None:
        """The step that is trained, and what the steps before it make of x."""
        for step in self.steps:
            if step.stage_name:
                return step.trained(x, condition)
            x, condition = step.transform(x, condition), _told(step, condition, x)
        return None

    def learn_from_samples(self, z: Series) -> None:
        """Let the last step learn; see `BasePreprocessor.learn_from_samples`."""
        self.steps[-1].learn_from_samples(z)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Tensor:
        """Through all steps' inverses, last to first, each with the condition it had on the way there."""
        return self._back(z, condition, None)

    def draw_inverse(self, z: Series, condition: Condition | None, draws: Draws) -> Tensor:
        """The same, where each step may draw; see `BasePreprocessor.draw_inverse`."""
        return self._back(z, condition, draws)

    def _back(self, z: Series, condition: Condition | None, draws: Draws | None) -> Tensor:
        shape, told = self._shape_before(z), [condition]
        for step in self.steps[:-1]:
            told.append(_told(step, told[-1], z.new_empty(z.shape[0], *shape)))
            shape = step.shape(*shape)
        for step, its_condition in zip(reversed(self.steps), reversed(told), strict=True):
            if draws is None:
                z = step.inverse_transform(z, its_condition)
            else:
                z = step.draw_inverse(z, its_condition, draws)
        return z

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """The sum of the steps', (B,)."""
        total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for step in self.steps:
            total = total + step.log_det(x, condition).to(total)
            x, condition = step.transform(x, condition), _told(step, condition, x)
        return total

    def notes(self) -> list[str]:
        """What the steps found out."""
        return [note for step in self.steps for note in step.notes()]

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """C' and L' after all steps."""
        for step in self.steps:
            channels, length = step.shape(channels, length)
        return channels, length

    def layout(self, layout: Layout) -> Layout:
        """The layout after all steps."""
        for step in self.steps:
            layout = step.layout(layout)
        return layout

    def condition(self, condition: Condition | None, like: Series) -> Condition | None:
        """What the network is told after all steps; the past stays in the user's units."""
        past = None if condition is None else condition.past
        for step in self.steps:
            condition = _told(step, condition, like)
            like = like.new_empty(like.shape[0], *step.shape(*like.shape[1:]))
        return condition if condition is None else replace(condition, past=past)

    def _shape_before(self, z: Series) -> tuple[int, int]:
        """C and L of the series whose images have the shape of z."""
        channels, fitted = self.shape_.tolist()
        after = tuple(z.shape[1:])
        for length in (fitted, z.shape[2], *range(1, z.shape[1] * z.shape[2] + 1)):
            if self.shape(channels, length) == after:
                return channels, length
        raise ConfigError(f"pipeline: no series of {channels} channels has images of shape {after}")


def _told(step: BasePreprocessor, condition: Condition | None, x: Series) -> Condition | None:
    """What the next step is told: the step's condition, with the past in the next one's units."""
    told = step.condition(condition, x)
    if condition is None or condition.past is None or told is None:
        return told
    return replace(told, past=step.transform(condition.past) if step.pointwise else None)
