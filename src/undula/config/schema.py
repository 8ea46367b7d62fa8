"""The schema of a config; see `undula schema` for its JSON form."""

from __future__ import annotations

__all__ = ["ComponentSpec", "Components", "Config", "Evaluation", "Experiment", "Wandb"]

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ..core.errors import ConfigError
from ..core.registry import KINDS, Registry
from ..core.signature import spec_in_words
from ..core.synonyms import with_type
from ..data.options import DataOptions
from ..evaluation.names import GROUPS, METRICS, Domain, check_metrics
from ..training.options import TrainingOptions

if TYPE_CHECKING:
    from ..core.baseline import BaseBaseline


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class ComponentSpec(_Block):
    """A component: its name, or its name and parameters."""

    type: str = Field(description="Name of a component; see `undula components`.")
    params: dict[str, Any] = Field(default_factory=dict, description="Arguments of its constructor.")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class Experiment(_Block):
    """What the experiment is called."""

    name: str = Field(
        "experiment", description="Name of the run folder.", json_schema_extra={"pattern": r"^[\w.-]+$"}
    )
    description: str = Field("", description="A sentence for the report.")
    seed: Annotated[int, Ge(0)] = Field(0, description="Of everything random.")
    type: str = Field("standard", description="How it is set up, trained and evaluated.")
    params: dict[str, Any] = Field(default_factory=dict, description="Arguments of that type.")

    @field_validator("name")
    @classmethod
    def _folder(cls, name: str) -> str:
        if not re.fullmatch(r"[\w.-]+", name):
            raise ValueError("it names a folder: use letters, digits, _, . and -")
        return name


class Components(_Block):
    """The exchangeable parts of the model."""

    preprocessing: ComponentSpec = Field(
        default_factory=lambda: ComponentSpec(type="raw"),
        description="To the space that is diffused; a list is a pipeline.",
    )
    architecture: ComponentSpec = Field(
        default_factory=lambda: ComponentSpec(type="transformer"), description="The network."
    )
    noise: ComponentSpec = Field(
        default_factory=lambda: ComponentSpec(type="standard"), description="Covariance and warp of time."
    )
    sde: ComponentSpec | None = Field(None, description="The path; null: the objective's own.")
    objective: ComponentSpec = Field(
        default_factory=lambda: ComponentSpec(type="flow_matching"), description="What is learned."
    )
    sampler: ComponentSpec = Field(
        default_factory=lambda: ComponentSpec(type="heun"), description="How samples are drawn."
    )
    guidance: list[ComponentSpec] = Field(
        [], description="What steers the denoiser in sampling: one, or several from the inside out."
    )

    @field_validator("architecture", mode="before")
    @classmethod
    def _backbone_type(cls, spec: Any) -> Any:
        try:
            return with_type("architecture", spec)
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @field_validator("*", mode="before")
    @classmethod
    def _list(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name == "guidance":
            return [value] if isinstance(value, str | Mapping) else value
        if not isinstance(value, list):
            return value
        spec = KINDS[info.field_name or ""].spec_of_list(value)
        if spec is None:
            raise ValueError("expected one component, a name or {type, params}, not a list")
        return spec


class Evaluation(_Block):
    """How the samples are judged."""

    num_samples: Annotated[int, Ge(100)] = Field(2000, description="Samples to draw and judge.")
    metrics: list[str] | None = Field(
        None,
        description=f"Of {', '.join(METRICS)}, or groups: {', '.join(GROUPS)}; all; null: those without "
        "networks.",
    )
    domain: Domain | None = Field(
        None, description="The data's field, whose own figures are added: finance or energy."
    )
    repeats: Annotated[int, Gt(0)] = Field(5, description="Trainings of each judge with a network.")
    bits_per_dim: bool = Field(False, description="Also the variational bound on held-out windows.")
    baselines: list[ComponentSpec] = Field(
        default_factory=lambda: [
            ComponentSpec(type=t)
            for t in ("gaussian", "gaussian_mixture", "iid_bootstrap", "block_bootstrap")
        ],
        description="Which baselines stand beside the figures; see `undula baselines`.",
    )
    bootstrap: Annotated[int, Gt(0)] = Field(200, description="Block-bootstrap draws for intervals.")

    @field_validator("metrics")
    @classmethod
    def _known(cls, names: list[str] | None) -> list[str] | None:
        problem = check_metrics([name for name in names or [] if name != "domain"])
        if problem:
            raise ValueError(problem)
        return names

    @model_validator(mode="after")
    def _some_metric(self) -> Evaluation:
        problem = check_metrics(self.metrics, self.domain)
        if problem:
            raise ValueError(f"metrics: {problem}")
        return self


class Wandb(_Block):
    """Weights & Biases."""

    enabled: bool = Field(False, description="Whether numbers go there too; needs undula[wandb].")
    project: str = Field("undula", description="Name of the project.")
    entity: str | None = Field(None, description="User or team; null: your default.")
    mode: Literal["online", "offline"] | None = Field(
        None,
        description="offline: files in the run folder, for `wandb sync` later; null: WANDB_MODE, or online.",
    )
    tags: list[str] = Field([], description="Of the run.")


class Config(_Block):
    """Everything that an experiment needs."""

    experiment: Experiment = Field(default_factory=Experiment, description="Name and seed.")
    components: Components = Field(default_factory=Components, description="The model's parts.")
    plugins: list[str] = Field([], description="Python files with components of your own.")
    data: DataOptions = Field(default_factory=DataOptions, description="Data, windows, split.")
    training: TrainingOptions = Field(default_factory=TrainingOptions, description="How to train.")
    evaluation: Evaluation = Field(default_factory=Evaluation, description="How to judge.")
    wandb: Wandb = Field(default_factory=Wandb, description="Weights & Biases.")

    def component_specs(self) -> dict[str, Any]:
        """The components as specs, by kind; plugins are loaded."""
        self._load_plugins()
        return self.components.model_dump()

    def experiment_spec(self) -> dict[str, Any]:
        """The experiment's type as a spec; plugins are loaded."""
        self._load_plugins()
        return {"type": self.experiment.type, "params": self.experiment.params}

    def baselines(self) -> dict[str, BaseBaseline]:
        """The baselines of the evaluation, not fitted, by label; plugins are loaded.

        Raises:
            ConfigError: if one cannot be made, or is there twice.
        """
        self._load_plugins()
        found: dict[str, BaseBaseline] = {}
        for spec in self.evaluation.baselines:
            label = spec_in_words(spec.model_dump())
            if label in found:
                raise ConfigError(f"evaluation.baselines: {label!r} is there twice: leave one of them out")
            found[label] = Registry.resolve("baseline", spec.model_dump())
        return found

    def _load_plugins(self) -> None:
        for path in self.plugins:
            Registry.load_plugin(path)
