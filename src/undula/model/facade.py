"""One object for everything: fit, sample, save, load.

model = DiffusionModel().fit("prices.csv")
windows = model.sample(1000, seed=7)        # (1000, 50, columns), in the file's units
"""

from __future__ import annotations

__all__ = ["DiffusionModel"]

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import __version__
from ..config.loading import as_config, checked
from ..config.schema import Config
from ..core.errors import ConfigError, RunError, did_you_mean
from ..data.collation import Collator
from ..data.options import DataOptions
from ..data.prepare import Data, PreparedData, prepare
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.loss import DiffusionLoss
from ..diffusion.prior import GaussianPrior
from ..training.engine import Outcome
from ..training.options import TrainingOptions
from .answers import Answers
from .composition import Composition, Spec, resolve_guidance
from .drawing import Drawing
from .fitting import FitHooks, Fitted, assemble, fit
from .storage import best_weights, first_misfit, read_model, write_model

if TYPE_CHECKING:
    from ..export.onnx import Exported

Array = NDArray[np.floating[Any]]


class DiffusionModel(Answers):
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
            "spread": state.spread,
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
            parts.denoiser(s),
            collator,
            s,
            lengths,
            prior=GaussianPrior.of_state(groups["prior"]),
            spread=description.get("spread"),
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
        if self._device.type != "cpu":
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


def _usable(device: str) -> str:
    """The device's name, if torch can use it."""
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ConfigError(f"device = {device!r}: use cpu or cuda")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device = {device!r}, and this machine has no GPU that torch can use: use cpu")
    return device
