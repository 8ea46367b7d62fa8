"""What a trained model is asked for: samples, fillings, forecasts, likelihoods."""

from __future__ import annotations

__all__ = ["Answers"]

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ..core.errors import ConfigError, DataError
from ..data.collation import Collator
from ..data.given import Given
from ..data.observation import Observation
from ..data.options import DataOptions, Split
from ..data.prepare import Data, prepare, raw_data
from ..data.samples import sample_table
from ..data.windows import Batch
from ..diffusion.bound import variational_bound
from .composition import Composition, Spec
from .drawing import Drawing
from .fitting import Fitted, training_batch
from .forecasting import Forecast, forecast
from .imputing import Draw, Imputed, impute
from .origins import Origins, calibrated_spread, origins_of, spread_out

Array = NDArray[np.floating[Any]]


class Answers(ABC):
    """The questions of `DiffusionModel`; it says what was fitted.

    Attributes:
        calls_: network evaluations that a sample of the last answer took, on average; guidance that asks
            the network twice counts twice, backward passes do not count.
    """

    calls_: float
    _options: DataOptions

    @property
    @abstractmethod
    def parts_(self) -> Composition:
        """The components, fitted."""

    @property
    @abstractmethod
    def collator_(self) -> Collator:
        """What batches look like."""

    @abstractmethod
    def _state(self) -> Fitted: ...

    @property
    def _device(self) -> torch.device:
        return next(self.parts_.architecture.parameters()).device

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        given: Given | Batch | None = None,
        observation: Observation | None = None,
        unconditional: bool = False,
        length: int | None = None,
        sampler: Spec | None = None,
        num_steps: int | None = None,
        guidance: Spec | Sequence[Spec] | None = None,
        guidance_scale: float | None = None,
        batch_size: int = 256,
        on_progress: Callable[[float], None] | None = None,
        on_diffused: Callable[[Array], None] | None = None,
    ) -> Array | list[Array]:
        """Draw samples.

        Sample number i depends on the seed and i alone, whatever `n` and `batch_size` are.

        Args:
            n: how many.
            seed: of the samples.
            given: what a conditional model is told: a table or file with the history (and the
                future rows of known covariates), or values by name, {"vix": 30.0}, of columns of
                roles.at_start; sample i gets window i modulo their number.
            observation: what was measured of the samples themselves, in the data's units; sample i gets
                observation i modulo their number. It takes a guidance that follows it: `posterior`, unless
                the model or `guidance` has another.
            unconditional: use the learned nulls instead of `given`.
            length: steps of a sample; None: the training windows' (drawn from theirs if they vary).
            sampler: instead of the model's own.
            num_steps: instead of the sampler's own.
            guidance: instead of the model's own; [] for none.
            guidance_scale: of classifier-free guidance, which is added if the model has none; 1: the
                model as trained.
            batch_size: samples that are drawn at once; memory against speed.
            on_progress: called with the share that is done.
            on_diffused: called with each batch as it was before the preprocessing's inverse, such as
                latents, (B, C', L').

        Returns:
            (n, L, C) in the data's units; a list of arrays (L_i, C) if lengths vary.

        Raises:
            ConfigError: if an argument does not fit the model.
            DataError: if `given` does not fit, or is missing.
        """
        for name, number in (("n", n), ("batch_size", batch_size), ("length", length)):
            if number is not None and number < 1:
                raise ConfigError(f"{name} = {number}: give a positive number")
        drawing = Drawing(self.parts_, self._state(), self._options)
        samples, self.calls_ = drawing.draw(
            n,
            seed,
            sampler=self.parts_.sampler_for(sampler, num_steps),
            guidance=self.parts_.guidance_for(
                guidance, guidance_scale, unconditional, self.collator_.layout, observation is not None
            ),
            observation=observation,
            windows=drawing.windows(given, unconditional),
            unconditional=unconditional,
            length=length,
            batch_size=batch_size,
            on_progress=on_progress,
            on_diffused=on_diffused,
        )
        same = all(len(x) == len(samples[0]) for x in samples)
        return np.stack(samples) if same and self.collator_.length is not None else samples

    def sample_frame(self, n: int, seed: int = 0, **options: Any) -> pd.DataFrame:
        """Draw samples as a table with columns `sample`, `step` and one a feature; see `sample`."""
        return sample_table(list(self.sample(n, seed, **options)), self.collator_.columns)

    def impute(
        self,
        data: Data,
        num_samples: int | None = None,
        seed: int = 0,
        *,
        draws: int = 50,
        sampler: Spec | None = None,
        num_steps: int | None = None,
        guidance: Spec | Sequence[Spec] | None = None,
        batch_size: int = 256,
        on_progress: Callable[[float], None] | None = None,
    ) -> pd.DataFrame | Array:
        """Fill in missing values (NaN), any pattern of them, given all that is there.

        Values that are there come back unchanged. Data longer than the model's windows are filled window by
        window, each given what was filled before; see `undula.data.holes`.

        Args:
            data: a table, an array (L, C) or (N, L, C), or a file's path, in the data's units.
            num_samples: how many fillings to return; None: one, the median of `draws`.
            seed: of the samples.
            draws: fillings whose median is taken.
            sampler: instead of the model's own.
            num_steps: instead of the sampler's own.
            guidance: what makes samples agree with what is known; None: the model's own, or `posterior`.
            batch_size: windows that are drawn at once.
            on_progress: called with the share that is done.

        Returns:
            The data as they were given, filled; with `num_samples` a table in long form whose first column
            is `sample`, or an array (num_samples, …).

        Raises:
            ConfigError: if the model cannot fill in: it is told a history.
            DataError: if the data do not fit the model.
        """
        options: dict[str, Any] = {"sampler": sampler, "num_steps": num_steps, "guidance": guidance}
        count = draws if num_samples is None else num_samples
        found = self.imputed(data, count, seed, **options, batch_size=batch_size, on_progress=on_progress)
        return found.median() if num_samples is None else found.samples()

    def imputed(
        self,
        data: Data,
        draws: int = 50,
        seed: int = 0,
        *,
        sampler: Spec | None = None,
        num_steps: int | None = None,
        guidance: Spec | Sequence[Spec] | None = None,
        batch_size: int = 256,
        on_progress: Callable[[float], None] | None = None,
    ) -> Imputed:
        """All of `draws` fillings of missing values, with what they belong to; see `impute`."""
        if draws < 1:
            raise ConfigError(f"draws = {draws}: give a positive number")
        draw = self._draw(sampler, num_steps, guidance, batch_size)
        return impute(data, self.collator_, self._options, draw, draws, seed, on_progress)

    def forecast(
        self,
        history: Data | None = None,
        horizon: int | None = None,
        num_samples: int = 200,
        seed: int = 0,
        *,
        sampler: Spec | None = None,
        num_steps: int | None = None,
        guidance: Spec | Sequence[Spec] | None = None,
        batch_size: int = 256,
        on_progress: Callable[[float], None] | None = None,
    ) -> Forecast:
        """Sample what comes after a history, in the data's units and with its time going on.

        A model with `data.history_len` is told the last rows. One without is guided: the end of its windows
        is drawn given their beginning. A horizon longer than a window goes on from each path's own end,
        window after window: what lies further back than a history is forgotten.

        Args:
            history: a table, an array (T, C) or (N, T, C), or a file's path, in the units of the training
                data, oldest first; of a panel each series is forecast. Rows at the end whose targets are
                empty are rows to come, with known covariates. None: the model's own data, to their end.
            horizon: rows to come; None: a window of the model (half of one where it is guided).
            num_samples: paths of each series.
            seed: of the samples.
            sampler: instead of the model's own.
            num_steps: instead of the sampler's own.
            guidance: instead of the model's own; for a model without history, what makes samples agree
                with it: `posterior`.
            batch_size: windows that are drawn at once.
            on_progress: called with the share that is done.

        Returns:
            Paths (S, L, C) of each series, with `table()` and `quantiles()`.

        Raises:
            DataError: if the history is too short or does not fit the model.
        """
        for name, number in (("horizon", horizon), ("num_samples", num_samples)):
            if number is not None and number < 1:
                raise ConfigError(f"{name} = {number}: give a positive number")
        draw = self._draw(sampler, num_steps, guidance, batch_size)
        if history is None:
            own = raw_data(self._options)
            if not isinstance(own, pd.DataFrame):
                raise DataError("the model's own data are windows, which have no end: give a history")
            history = own
        spread = self._state().spread
        return forecast(
            history, self.collator_, self._options, draw, horizon, num_samples, seed, on_progress, spread
        )

    def paths_from(self, origins: Origins, num_samples: int, seed: int = 0) -> Array:
        """Paths (S, N, L, C) from known origins, spread out as `calibrate` found."""
        told = bool(self.collator_.layout.droppable)
        paths = origins.paths(self.sample, num_samples, seed, told)
        factor = self._state().spread
        return paths if factor is None else spread_out(paths, np.array(factor))

    def calibrate(
        self,
        data: Data | None = None,
        origins: int = 100,
        num_samples: int = 100,
        seed: int = 0,
        *,
        method: Literal["conformal", "temperature"] = "conformal",
    ) -> NDArray[np.floating[Any]]:
        """Learn from the validation part by how much forecasts are too narrow or too wide.

        From then on paths of `forecast` are spread out about their median by a factor for each column; the
        model keeps it when it is saved. Check the result on data that were not used: `--backtest`.

        Args:
            data: what the model was trained on; None: its own data.
            origins: in the validation part, whose windows share no row; at most.
            num_samples: paths of each.
            seed: of the samples.
            method: conformal (90 % intervals hold 90 % of such values) or temperature (least CRPS).

        Returns:
            The factors, (C,).

        Raises:
            ConfigError: if windows vary in length.
            DataError: if there is no validation part, or something is missing in it.
        """
        if self.collator_.length is None:
            raise ConfigError("calibration needs windows of one length: set data.predict_len")
        held_out = prepare(self._options, data).parts.val
        if held_out is None:
            raise DataError("the data have no validation part to calibrate on: set data.split")
        given = origins_of(held_out, origins, "validation")
        state = self._state()
        state.spread = None
        factor = calibrated_spread(self.paths_from(given, num_samples, seed), given.truth, method)
        state.spread = [float(f) for f in factor]
        return factor

    def _draw(
        self, sampler: Spec | None, num_steps: int | None, guidance: Spec | Sequence[Spec] | None, size: int
    ) -> Draw:
        """Draws windows given what they are told and what was observed of them."""
        drawing, parts = Drawing(self.parts_, self._state(), self._options), self.parts_

        def draw(
            windows: Batch, observation: Observation | None, seed: int, share: Callable[[float], None]
        ) -> Array:
            samples, self.calls_ = drawing.draw(
                len(windows.index),
                seed,
                sampler=parts.sampler_for(sampler, num_steps),
                guidance=parts.guidance_for(
                    guidance, None, False, self.collator_.layout, observation is not None
                ),
                observation=observation,
                windows=windows,
                unconditional=False,
                length=None,
                batch_size=size,
                on_progress=share,
            )
            return np.stack(samples)

        return draw

    def bits_per_dim(self, data: Data | Batch | None = None, num_times: int = 32, seed: int = 0) -> float:
        """The variational bound on −log₂ p per number, in the data's units.

        Prior and reconstruction terms are included; see `diffusion.bound`.

        Args:
            data: windows, or data that are cut into windows as in training, all of which count; None:
                the test part of the model's own data. Of many windows, some at even distances.
            num_times: times a window.
            seed: of times and noise.
        """
        parts, collator = self.parts_, self.collator_
        parts.check_likelihood()
        if data is None:
            parts_of_data = prepare(self._options).parts
            data = (parts_of_data.test or parts_of_data.train).some(400_000)
        elif not isinstance(data, Batch):
            whole = self._options.model_copy(update={"split": Split(train=1.0, val=0.0, test=0.0)})
            data = prepare(whole, data).parts.train.some(400_000)
        batch = training_batch(collator, data).to(self._device)
        if batch.condition is not None and batch.condition.valid is not None:
            raise DataError("the bound needs whole windows: these have missing values")
        z = parts.preprocessing.transform(batch.x, batch.condition).float()
        told = parts.preprocessing.condition(batch.condition, batch.x)
        nats = variational_bound(self._state().denoiser, z, told, num_times, seed)
        nats = nats - parts.preprocessing.log_det(batch.x, batch.condition).to(nats)
        return float(nats.mean()) / (batch.x[0].numel() * math.log(2.0))
