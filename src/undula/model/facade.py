"""One object for everything: fit, sample, save, load.

model = DiffusionModel().fit("prices.csv")
windows = model.sample(1000, seed=7)        # (1000, 50, columns), in the file's units
"""

from __future__ import annotations

__all__ = ["DiffusionModel"]

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import __version__
from ..config.loading import as_config, checked
from ..config.schema import Config
from ..core.errors import ConfigError, DataError, RunError, did_you_mean
from ..data.collation import Collator
from ..data.given import Given
from ..data.observation import Observation
from ..data.options import DataOptions, Split
from ..data.prepare import Data, PreparedData, prepare, raw_data
from ..data.samples import sample_table
from ..data.windows import Batch
from ..diffusion.bound import variational_bound
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.loss import DiffusionLoss
from ..diffusion.prior import GaussianPrior
from ..training.engine import Outcome
from ..training.options import TrainingOptions
from .composition import Composition, Spec, resolve_guidance
from .drawing import Drawing
from .fitting import FitHooks, Fitted, assemble, fit, training_batch
from .forecasting import Forecast, forecast
from .imputing import Draw, Imputed, impute
from .storage import best_weights, first_misfit, read_model, write_model

if TYPE_CHECKING:
    from ..export.onnx import Exported

Array = NDArray[np.floating[Any]]


class DiffusionModel:
    """A diffusion model of windows of series, in the user's own units.

    Every component is given by name, as {type, params}, or as an object; see `undula components`.

    Args:
        preprocessing: map between the user's units and what is diffused.
        architecture: the network.
        noise: covariance of the noise and warp of time.
        sde: the path; None: the objective's own.
        objective: density, weight, prediction.
        sampler: how samples are drawn.
        guidance: what steers the denoiser in sampling: one or several, from the inside out.
        data: columns, windows, split; see `DataOptions`.
        training: how to train; see `TrainingOptions`.
        seed: of everything random in training.

    Attributes:
        columns_: names of the C columns, after `fit`.
        outcome_: how the training ended; None for a loaded model.
        calls_: network evaluations that a sample of the last `sample` took, on average; guidance that
            asks the network twice counts twice.
    """

    def __init__(
        self,
        *,
        preprocessing: Spec = "raw",
        architecture: Spec = "transformer",
        noise: Spec = "standard",
        sde: Spec | None = None,
        objective: Spec = "flow_matching",
        sampler: Spec = "heun",
        guidance: Spec | Sequence[Spec] = (),
        data: DataOptions | Mapping[str, Any] | None = None,
        training: TrainingOptions | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        self.preprocessing, self.architecture, self.noise = preprocessing, architecture, noise
        self.sde, self.objective, self.sampler, self.guidance = sde, objective, sampler, guidance
        self.data, self.training, self.seed = data, training, seed
        self._fitted: Fitted | None = None
        self._parts: Composition | None = None
        self.calls_ = float("nan")

    # -- making --------------------------------------------------------------------------------

    @classmethod
    def from_config(cls, config: Config | Mapping[str, Any] | str | Path) -> DiffusionModel:
        """A model as a config, a preset's name or a YAML file describes it; not yet fitted."""
        config = as_config(config)
        return cls(
            **config.component_specs(),
            data=config.data,
            training=config.training,
            seed=config.experiment.seed,
        )

    def fit(self, data: Data | PreparedData | None = None, hooks: FitHooks | None = None) -> DiffusionModel:
        """Train on data.

        Args:
            data: a table, an array (T, C) or (N, L, C), a list of arrays (L_i, C), a file's path,
                or prepared data; None: the options `data` say where they are.
            hooks: checkpoints, loggers and progress.

        Returns:
            The model itself.

        Raises:
            ConfigError: if the components do not go together.
            DataError: if the data cannot be used.
            TrainingError: if the loss is not finite.
        """
        parts = self.compose()
        options, training = self._data_options(), self._training_options()
        prepared = data if isinstance(data, PreparedData) else prepare(options, data)
        self._parts, self._options = parts, prepared.options
        hooks = hooks or FitHooks()

        def on_epoch(fitted: Fitted, epochs: int, steps: int) -> dict[str, float]:
            self._fitted = fitted
            return hooks.on_epoch(self, epochs, steps) if hooks.on_epoch else {}

        def on_stage(fitted: Fitted) -> bool:
            self._fitted = fitted
            return hooks.on_stage is None or hooks.on_stage(self)

        pictures = on_epoch if hooks.on_epoch else None
        self._fitted = fit(parts, prepared, training, self.seed, hooks, pictures, on_stage)
        if parts.preprocessing.calibrates and self._fitted.outcome is not None:
            Drawing(parts, self._fitted, self._options).calibrate(self.seed)
        return self

    def assemble(self, prepared: PreparedData, hooks: FitHooks | None = None) -> DiffusionLoss:
        """Everything that comes before the first step of training; the network is untrained.

        Args:
            prepared: the data.
            hooks: how to train a preprocessing that is trained, such as from its last checkpoint; None:
                not at all, which is enough for shapes and costs.

        Returns:
            The loss of a batch; see `DiffusionLoss`.
        """
        parts = self.compose()
        self._parts, self._options = parts, prepared.options
        options, name = self._training_options(), parts.preprocessing.stage_name
        stage = hooks.stage(name, options, self.seed) if hooks is not None and name else None
        self._fitted, loss = assemble(parts, prepared, options, self.seed, stage=stage)
        return loss

    def compose(self) -> Composition:
        """The components put together and checked, without data."""
        return Composition(
            self.preprocessing,
            self.architecture,
            self.noise,
            self.sde,
            self.objective,
            self.sampler,
            resolve_guidance(self.guidance),
        )

    def __repr__(self) -> str:
        """The arguments that are not the defaults, as scikit-learn shows them."""
        signature = inspect.signature(type(self)).parameters
        own = {k: v for k, v in self.get_params().items() if v is not None and v != signature[k].default}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in own.items())})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, as in scikit-learn."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> DiffusionModel:
        """Change the constructor's arguments; a fitted model stays as it was fitted until `fit`.

        Raises:
            ConfigError: if a name is none of them.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ConfigError(f"DiffusionModel has no parameter {name!r}{did_you_mean(name, known)}")
            setattr(self, name, value)
        return self

    # -- what was fitted -----------------------------------------------------------------------

    @property
    def columns_(self) -> list[str]:
        """Names of the C columns."""
        return list(self._state().collator.columns)

    @property
    def outcome_(self) -> Outcome | None:
        """How the training ended; None for a loaded model."""
        return self._state().outcome

    @property
    def stage_outcome_(self) -> Outcome | None:
        """How the preprocessing's own training ended; None if it has none, or for a loaded model."""
        return self._state().stage

    @property
    def denoiser_(self) -> NetDenoiser:
        """D(x_t, t, c) in the space that is diffused."""
        return self._state().denoiser

    @property
    def collator_(self) -> Collator:
        """What batches look like."""
        return self._state().collator

    @property
    def parts_(self) -> Composition:
        """The components, fitted."""
        self._state()
        assert self._parts is not None
        return self._parts

    @property
    def num_parameters_(self) -> int:
        """Numbers in the network."""
        return sum(p.numel() for p in self.parts_.architecture.parameters())

    def notes(self) -> list[str]:
        """What fitting found in the data, a sentence each."""
        return self.parts_.preprocessing.notes()

    # -- sampling ------------------------------------------------------------------------------

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
        return sample_table(list(self.sample(n, seed, **options)), self.columns_)

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
        return forecast(history, self.collator_, self._options, draw, horizon, num_samples, seed, on_progress)

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
        batch = training_batch(collator, data).to(self._device())
        if batch.condition is not None and batch.condition.valid is not None:
            raise DataError("the bound needs whole windows: these have missing values")
        z = parts.preprocessing.transform(batch.x, batch.condition).float()
        told = parts.preprocessing.condition(batch.condition, batch.x)
        nats = variational_bound(self.denoiser_, z, told, num_times, seed)
        nats = nats - parts.preprocessing.log_det(batch.x, batch.condition).to(nats)
        return float(nats.mean()) / (batch.x[0].numel() * math.log(2.0))

    # -- files ---------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write model.json and model.safetensors into a folder."""
        state, parts = self._state(), self.parts_
        tensors: dict[str, Tensor] = {f"network.{k}": v for k, v in parts.architecture.state_dict().items()}
        tensors |= {f"preprocessing.{k}": v for k, v in parts.preprocessing.state.items()}
        tensors |= {f"noise.{k}": v for k, v in parts.noise.state.items()}
        tensors |= {f"prior.{k}": v for k, v in (state.prior.state if state.prior else {}).items()}
        description = {
            "undula_version": __version__,
            "components": parts.specs(),
            "data": self._options.model_dump(mode="json"),
            "collator": state.collator.as_json(),
            "s": state.s,
            "lengths": state.lengths,
            "seed": self.seed,
        }
        write_model(Path(folder), description, tensors)

    @classmethod
    def load(
        cls, path: str | Path, device: str = "cpu", weights: Literal["last", "best"] = "last"
    ) -> DiffusionModel:
        """Read a model from its folder or from a run folder; no training data are needed.

        Args:
            path: of the folder.
            device: cpu or cuda.
            weights: those at the end of training, or, from a run folder, those at its lowest
                validation loss.

        Raises:
            RunError: if it is not there, damaged, or of another version.
            UnknownNameError: if a component comes from a plugin that is not loaded.
        """
        device = _usable(device)
        description, tensors = read_model(path)
        try:
            data = DataOptions.model_validate(description["data"])
            model = cls(**description["components"], data=data, seed=description["seed"])
            collator = Collator.from_json(description["collator"])
            s, lengths = description["s"], description["lengths"]
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"model {path} is damaged: {error}") from error
        parts = model.compose()
        groups: dict[str, dict[str, Tensor]] = {"network": {}, "preprocessing": {}, "noise": {}, "prior": {}}
        for name, tensor in tensors.items():
            group, _, rest = name.partition(".")
            groups.setdefault(group, {})[rest] = tensor
        parts.preprocessing.load_state(groups["preprocessing"])
        parts.noise.load_state(groups["noise"])
        parts.architecture.build(parts.preprocessing.layout(collator.layout))
        try:
            parts.architecture.load_state_dict(groups["network"] if weights == "last" else best_weights(path))
        except RuntimeError as error:
            raise RunError(
                f"model {path} is damaged: its weights do not fit its description ({first_misfit(error)})"
            ) from error
        parts.architecture.to(device).eval()
        model._parts, model._options = parts, data
        model._fitted = Fitted(
            parts.denoiser(s), collator, s, lengths, prior=GaussianPrior.of_state(groups["prior"])
        )
        return model

    def export_model(
        self, path: str | Path, *, sampler: Spec | None = None, num_steps: int | None = None
    ) -> Exported:
        """Write the denoiser with its preprocessing as one ONNX file, checked in onnxruntime.

        Args:
            path: of the file, *.onnx.
            sampler: whose grid of noise levels the file describes; None: the model's own.
            num_steps: of that grid; None: the sampler's own.

        Returns:
            What was written and checked.

        Raises:
            ConfigError: if the extra `export` is not installed.
            IncompatibleError: if a component cannot be written as ONNX; with the reason.
        """
        from ..export.onnx import export_onnx

        state, parts = self._state(), self.parts_
        if self._device().type != "cpu":
            raise ConfigError("export works on the CPU: load the model with device='cpu'")
        chosen = parts.sampler_for(sampler, num_steps)
        return export_onnx(path, state.denoiser, parts.preprocessing, state.collator, chosen)

    # -- inside --------------------------------------------------------------------------------

    def _state(self) -> Fitted:
        if self._fitted is None:
            raise ConfigError("the model is not fitted: call fit(data), or load a trained one")
        return self._fitted

    def _data_options(self) -> DataOptions:
        return checked(DataOptions, self.data, "data")

    def _training_options(self) -> TrainingOptions:
        return checked(TrainingOptions, self.training, "training")

    def _device(self) -> torch.device:
        return next(self.parts_.architecture.parameters()).device


def _usable(device: str) -> str:
    """The device's name, if torch can use it."""
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ConfigError(f"device = {device!r}: use cpu or cuda")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device = {device!r}, and this machine has no GPU that torch can use: use cpu")
    return device
