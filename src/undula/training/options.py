"""How to train; the `training:` block of a config."""

from __future__ import annotations

__all__ = ["TrainingOptions"]

import re
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = re.findall(r"([\d.]+)\s*([smhd])", value)
    if not parts or "".join(a + b for a, b in parts) != value.replace(" ", ""):
        raise ValueError("give a duration such as 90s, 20m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


Share = Annotated[float, Ge(0), Lt(1)]
Duration = Annotated[float, BeforeValidator(_seconds), Gt(0)]


class TrainingOptions(BaseModel):
    """How to train."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    batch_size: Annotated[int, Gt(0)] = Field(128, description="Windows a step, over all devices.")
    learning_rate: Annotated[float, Gt(0)] = Field(1e-3, description="Highest rate of AdamW.")
    weight_decay: Annotated[float, Ge(0)] = Field(0.01, description="Weight decay of AdamW.")
    betas: tuple[Share, Share] = Field((0.9, 0.99), description="Averaging of AdamW, in [0, 1).")
    schedule: Literal["cosine", "one_cycle", "constant"] = Field(
        "cosine", description="Learning rate over the run."
    )
    warmup_steps: Annotated[int, Ge(0)] = Field(
        100, description="Steps over which the rate rises from 0 (cosine, constant)."
    )
    num_epochs: Annotated[int, Gt(0)] | None = Field(100, description="Passes over the training windows.")
    max_steps: Annotated[int, Gt(0)] | None = Field(None, description="Most steps.")
    max_time: Duration | None = Field(
        None, description="Most time, such as 90s, 20m or 1h30m; a number is seconds."
    )
    clip_norm: Annotated[float, Gt(0)] | None = Field(
        1.0, description="Largest norm of the gradient; null: no clipping."
    )
    ema_decay: Annotated[float, Ge(0), Lt(1)] = Field(
        0.999, description="Averaging of the weights that sample; rises from 0 to this."
    )
    precision: Literal["auto", "32", "bf16"] = Field(
        "auto", description="auto: bf16 on GPUs that have it, else 32."
    )
    compile: Literal["auto"] | bool = Field("auto", description="torch.compile; auto: on GPUs.")
    gradient_checkpointing: bool = Field(
        False, description="Recompute blocks in the backward pass: less memory, more time."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    devices: Literal["auto"] | Annotated[int, Gt(0)] = Field(
        "auto", description="Devices a machine; auto: all GPUs, or one process on a CPU."
    )
    num_nodes: Annotated[int, Gt(0)] = Field(1, description="Machines, started by torchrun.")
    strategy: Literal["auto", "ddp"] = Field("auto", description="How devices share the work.")
    threads: Annotated[int, Gt(0)] | None = Field(
        None, description="Threads a process on a CPU; null: torch's choice."
    )
    init_from: str | None = Field(None, description="Run or model folder whose weights to start from.")
    log_every: Annotated[int, Gt(0)] = Field(50, description="Steps from one log line to the next.")
    validate_every: Annotated[int, Gt(0)] = Field(
        250, description="Steps from one validation loss to the next."
    )
    sample_every: Annotated[int, Gt(0)] | None = Field(
        10, description="Epochs from one set of pictured samples to the next; null: none."
    )
    checkpoint_every: Duration = Field(30.0, description="Time between checkpoints.")

    @model_validator(mode="after")
    def _ends(self) -> TrainingOptions:
        if self.num_epochs is None and self.max_steps is None and self.max_time is None:
            raise ValueError("training would never end: set num_epochs, max_steps or max_time")
        return self
