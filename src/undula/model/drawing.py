"""Samples of a trained model, batch by batch, in the data's units."""

from __future__ import annotations

__all__ = ["Drawing"]

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.condition import Condition
from ..core.errors import ConfigError, DataError, RunError
from ..core.randomness import Draws, Stream, derive_seed
from ..core.registry import Registry
from ..data.collation import Collator
from ..data.given import Given, given_windows
from ..data.observation import Observation
from ..data.options import DataOptions
from ..data.windows import Batch
from ..diffusion.denoiser import BaseDenoiser
from ..diffusion.guidance import BaseGuidance, CountedDenoiser, guided
from ..diffusion.measurement import Measurement
from ..diffusion.sampler import BaseSampler, SampleNoise
from .composition import Composition
from .fitting import Fitted

_CALIBRATION, _CALIBRATION_BATCH = 4096, 512
"""Samples that show a spectrum: its roots to 1 %."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Drawing:
    """Draws samples of a trained model.

    Args:
        parts: the model's components, fitted.
        fitted: the denoiser, and what batches look like.
        options: of the data; how `given` is read.
    """

    parts: Composition
    fitted: Fitted
    options: DataOptions

    def windows(self, given: Given | Batch | None, unconditional: bool) -> Batch | None:
        """What the network is told, as windows; None: nothing, or the learned nulls.

        Raises:
            ConfigError: if the model is told nothing and something is given.
            DataError: if something is missing or does not fit.
        """
        collator = self.fitted.collator
        parts = collator.layout.droppable
        if not parts:
            if given is not None:
                raise ConfigError("the model is unconditional: leave `given` (--given) out")
            return None
        if unconditional:
            return None
        if given is None:
            raise DataError(
                f"the model is conditioned on {', '.join(parts)}: pass {_what_to_give(collator)}, or "
                "unconditional=True (--unconditional) for the learned nulls"
            )
        return given if isinstance(given, Batch) else given_windows(given, collator, self.options)

    def calibrate(self, seed: int) -> None:
        """Show samples to a preprocessing that learns from them, drawn as the model draws by itself."""
        diffused: list[Array] = []
        self.draw(
            _CALIBRATION,
            derive_seed(seed, "calibration"),
            sampler=self.parts.sampler,
            guidance=[],
            windows=None,
            unconditional=False,
            length=None,
            batch_size=_CALIBRATION_BATCH,
            on_progress=None,
            on_diffused=diffused.append,
        )
        self.parts.preprocessing.learn_from_samples(torch.from_numpy(np.concatenate(diffused)))

    def draw(
        self,
        n: int,
        seed: int,
        *,
        sampler: BaseSampler,
        guidance: Sequence[BaseGuidance],
        windows: Batch | None,
        unconditional: bool,
        length: int | None,
        batch_size: int,
        on_progress: Callable[[float], None] | None,
        on_diffused: Callable[[Array], None] | None = None,
        observation: Observation | None = None,
    ) -> tuple[list[Array], float]:
        """Draw n samples; sample i depends on the seed and i alone.

        Args:
            n: how many.
            seed: of the samples.
            sampler: how they are drawn.
            guidance: what steers the denoiser, from the inside out.
            windows: what the network is told; sample i gets window i modulo their number.
            unconditional: without windows: the learned nulls.
            length: steps of a sample; None: the training windows'.
            batch_size: samples that are drawn at once.
            on_progress: called with the share that is done.
            on_diffused: called with each batch as it was before the preprocessing's inverse, (B, C', L').
            observation: what was measured of the samples; sample i gets observation i modulo their number.

        Returns:
            Arrays (L_i, C) in the data's units, and the network evaluations a sample took on average.
        """
        lengths = self._lengths(n, seed, length, windows)
        if observation is not None:
            self._check(observation, lengths)
        counted = CountedDenoiser(self.fitted.denoiser)
        samples: list[Array] = []
        for start in range(0, n, batch_size):
            index = np.arange(start, min(start + batch_size, n))
            condition = self._condition(index, lengths[index], windows, unconditional)
            share = _share_reporter(on_progress, start / n, len(index) / n)
            condition = None if condition is None else condition.to(self._device)
            measurement = None if observation is None else self._measurement(observation, index, condition)
            denoiser = guided(counted, guidance, measurement)
            samples += self._batch(
                sampler, denoiser, seed, index, lengths[index], condition, share, on_diffused
            )
        return samples, counted.members / n

    @property
    def _device(self) -> torch.device:
        return next(self.parts.architecture.parameters()).device

    def _check(self, observation: Observation, lengths: NDArray[np.int64]) -> None:
        """Refuse an observation that is not of such samples."""
        if (lengths != lengths[0]).any():
            raise DataError("samples of different lengths cannot share an observation: set length")
        observation.check(len(self.fitted.collator.columns), int(lengths[0]))

    def _measurement(
        self, observation: Observation, index: NDArray[np.int64], condition: Condition | None
    ) -> Measurement:
        """What was measured of the samples of a batch."""
        y, variance = observation.take(index)
        preprocessing = self.parts.preprocessing
        return Measurement(
            y=torch.from_numpy(y).transpose(1, 2).to(self._device),
            variance=torch.from_numpy(variance).transpose(1, 2).to(self._device),
            operator=observation.operator,
            decode=lambda z: preprocessing.inverse_transform(z, condition),
            encode=lambda x: preprocessing.transform(x, condition),
            prior=self.fitted.prior,
        )

    def _lengths(self, n: int, seed: int, length: int | None, windows: Batch | None) -> NDArray[np.int64]:
        collator = self.fitted.collator
        if length is not None and length != collator.length:
            for part in (self.parts.architecture, self.parts.preprocessing, self.parts.noise):
                if not part.any_length:
                    raise ConfigError(
                        f"{part.kind} {Registry.name(part)!r} makes windows of {collator.length} steps only: "
                        "leave length out"
                    )
        if length is not None and windows is not None and collator.known:
            other = windows.lengths[windows.lengths != length]
            if len(other):
                raise ConfigError(
                    f"length = {length}, and `given` has known covariates for {other[0]} steps: leave length "
                    "out, or give covariates for as many steps"
                )
        if length is not None:
            return np.full(n, length, np.int64)
        if windows is not None and windows.future.shape[1]:
            return windows.lengths[np.arange(n) % len(windows.index)]
        if collator.length is not None:
            return np.full(n, collator.length, np.int64)
        share = Stream(seed, "length").uniform(0, torch.arange(n))[:, 0].numpy()
        lengths = np.array(self.fitted.lengths)
        chosen: NDArray[np.int64] = lengths[np.round(share * (len(lengths) - 1)).astype(np.int64)]
        return chosen

    def _condition(
        self,
        index: NDArray[np.int64],
        lengths: NDArray[np.int64],
        windows: Batch | None,
        unconditional: bool,
    ) -> Condition | None:
        collator, longest = self.fitted.collator, int(lengths.max())
        exists = None
        if (lengths != longest).any():
            exists = np.arange(longest) < lengths[:, None]
        if windows is not None:
            batch = windows.take(index % len(windows.index), longest)
        else:
            batch = collator.empty_batch(len(index), longest)
        if exists is not None:
            batch = replace(batch, exists=exists)
        condition = collator.condition(batch)
        if condition is not None and unconditional:
            condition = replace(condition.unconditional(), past=None)
        return condition

    def _batch(
        self,
        sampler: BaseSampler,
        denoiser: BaseDenoiser,
        seed: int,
        index: NDArray[np.int64],
        lengths: NDArray[np.int64],
        condition: Condition | None,
        on_step: Callable[[int, int], None] | None,
        on_diffused: Callable[[Array], None] | None,
    ) -> Iterator[Array]:
        """Samples of one batch, each (L_i, C), in the data's units."""
        device, longest = self._device, int(lengths.max())
        preprocessing, channels = self.parts.preprocessing, len(self.fitted.collator.columns)
        like = torch.empty(len(index), channels, longest, device=device)
        told = preprocessing.condition(condition, like)
        numbers = torch.from_numpy(index).to(device)
        noise = SampleNoise(seed, numbers, *preprocessing.shape(channels, longest))
        z = sampler.sample(denoiser, noise, told, on_step).double()
        if on_diffused is not None:
            on_diffused(z.cpu().numpy())
        with torch.no_grad():
            x = preprocessing.draw_inverse(z, condition, Draws(seed, "preprocessing", 0, numbers))
        samples = x.transpose(1, 2).cpu().numpy()
        if not np.isfinite(samples).all():
            raise RunError(
                "the sampler returned numbers that are not finite: use more steps, another sampler, or "
                "train longer"
            )
        return (sample[:length] for sample, length in zip(samples, lengths, strict=True))


def _what_to_give(collator: Collator) -> str:
    names = [*collator.start.columns, *collator.static]
    if collator.history_len or collator.known:
        return "`given` (--given FILE; a table or a file with the history and the known covariates)"
    values = ", ".join(f"{name!r}: …" for name in names)
    words = " ".join(f"--given {name}=…" for name in names)
    return f"`given`, {{{values}}} ({words})"


def _share_reporter(
    on_progress: Callable[[float], None] | None, start: float, width: float
) -> Callable[[int, int], None] | None:
    if on_progress is None:
        return None
    return lambda step, steps: on_progress(start + width * step / steps)
