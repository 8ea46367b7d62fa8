r"""Several networks whose outputs are averaged, trained together as one.

    F(x, τ, c) = Σ_k w_k F_k(x, τ, c),    Σ_k w_k = 1,  w_k ≥ 0

    mean:            w_k = 1/K
    weighted_mean:   w = softmax(a),              a learned
    by_noise_level:  w = softmax(A e(τ)),         A learned, e the embedding of the noise level

`a` and `A` start at zero, so that every aggregation starts as the mean. The members see the same
series, noise level and condition (the same parts are dropped), and the loss is that of F: they learn to
complement one another, which is not the same as averaging networks that were trained apart.

Members of one type and equal parameters can run as one batch of networks: their weights are stacked
and the network is vectorised over them. That saves calls, which is what small networks on a GPU wait
for; on a CPU, where one member after the other keeps its numbers in the cache, it takes longer as a
rule (`benchmarks/architectures.py`). Members that differ or are recurrent run in turn, and so do all
members under gradient checkpointing and in an export.

References:
    Hansen, Salamon (1990). Neural network ensembles. doi:10.1109/34.58871
    Balaji et al. (2022). eDiff-I. arXiv:2211.01324 (experts for noise levels)
"""

from __future__ import annotations

__all__ = ["EnsembleArchitecture"]

import contextlib
import copy
import inspect
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.errors import ConfigError
from ...core.registry import Registry, register
from ...core.types import ConditionDropout, Series, Times
from ...nn.embeddings import NoiseLevelEmbedding

Aggregation = Literal["mean", "weighted_mean", "by_noise_level"]
_EMBEDDING_DIM = 32
_DEFAULT = cast("list[BaseArchitecture]", ["transformer", "cnn", "rnn"])


@register("architecture", "ensemble")
class EnsembleArchitecture(BaseArchitecture):
    """Several networks averaged, with learned weights if asked, trained as one.

    Args:
        models: the members: names, or {type, params}; at least two.
        aggregation: mean; weighted_mean (a learned weight a member); by_noise_level (learned weights
            that depend on the noise level).
        condition_dropout: probability of training with a condition part's learned null, for all members
            at once; or one a part, such as {history: 0.1}, 0 for parts that are not named.
        together: whether members of one type and equal parameters run as one batch of networks; auto:
            where there is a GPU.
    """

    vectorises = False

    def __init__(
        self,
        models: list[BaseArchitecture] = _DEFAULT,
        aggregation: Aggregation = "weighted_mean",
        condition_dropout: ConditionDropout = 0.1,
        together: Literal["auto"] | bool = "auto",
    ) -> None:
        super().__init__()
        self.together, self._checkpointing = together, False
        self.members = nn.ModuleList()
        self.models: list[BaseArchitecture] = [Registry.resolve("architecture", model) for model in models]
        self.aggregation, self.condition_dropout = aggregation, condition_dropout
        if len(self.models) < 2:
            raise ConfigError(
                f"ensemble: models has {len(self.models)} member(s), and an ensemble needs two or more"
            )
        for model in self.models:
            usual = inspect.signature(type(model)).parameters.get("condition_dropout")
            own = model.condition_dropout
            if own != condition_dropout and (usual is None or own != usual.default):
                raise ConfigError(
                    f"ensemble: the member {Registry.name(model)!r} has condition_dropout = {own}, and the "
                    "members share the ensemble's: set ensemble's condition_dropout and leave it out there"
                )
        self.any_length = all(model.any_length for model in self.models)
        self.causal = all(model.causal for model in self.models)

    def build(self, layout: Layout) -> None:
        """Make the members' layers; see `BaseArchitecture.build`."""
        super().build(layout)
        self.members.extend(copy.deepcopy(model) for model in self.models)
        for member in self._members:
            member.condition_dropout = self.condition_dropout
            member.build(layout)
        self._groups = _alike(self._members)
        learned = self.aggregation == "weighted_mean"
        self.logits = nn.Parameter(torch.zeros(len(self.models))) if learned else None
        self.gate = None
        if self.aggregation == "by_noise_level":
            self.noise_level = NoiseLevelEmbedding(_EMBEDDING_DIM)
            self.gate = nn.Linear(_EMBEDDING_DIM, len(self.models), bias=False)
            nn.init.zeros_(self.gate.weight)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        together = x.device.type == "cuda" if self.together == "auto" else self.together
        if self.gradient_checkpointing or torch.compiler.is_exporting():  # torch cannot vectorise these
            together = False
        found: dict[int, Tensor] = {}
        for group in self._groups:
            if together and len(group) > 1:
                found |= zip(group, self._as_one(group, x, tau, condition), strict=True)
            else:
                found |= {k: self._members[k](x, tau, condition) for k in group}
        outputs = torch.stack([found[k] for k in range(len(self.models))], dim=1)
        return (outputs * self.weights(tau)[..., None, None]).sum(1)

    def weights(self, tau: Times) -> Tensor:
        """The members' weights w_k at noise levels τ, (B, K)."""
        if self.gate is not None:
            return torch.softmax(self.gate(self.noise_level(tau)).float(), dim=-1)
        logits = torch.zeros(len(self.models), device=tau.device) if self.logits is None else self.logits
        return torch.softmax(logits, dim=-1).expand(tau.shape[0], -1)

    def _as_one(self, group: list[int], x: Series, tau: Times, condition: Condition | None) -> Tensor:
        """The outputs of equal members, (K, B, C, L)."""
        members = [self._members[k] for k in group]
        named = [dict(member.named_parameters()) for member in members]
        stacked = {name: torch.stack([weights[name] for weights in named]) for name in named[0]}

        def run(weights: dict[str, Tensor]) -> Tensor:
            output: Tensor = functional_call(members[0], weights, (x, tau, condition))
            return output

        on_cpu = x.device.type == "cpu"  # whose fast attention cannot be vectorised
        with sdpa_kernel(SDPBackend.MATH) if on_cpu else contextlib.nullcontext():
            outputs: Tensor = torch.vmap(run, randomness="different")(stacked)
        return outputs

    @property
    def gradient_checkpointing(self) -> bool:
        """Whether the members compute their blocks again in the backward pass."""
        return self._checkpointing

    @gradient_checkpointing.setter
    def gradient_checkpointing(self, value: bool) -> None:
        self._checkpointing = value
        for member in self._members:
            member.gradient_checkpointing = value

    @property
    def _members(self) -> list[BaseArchitecture]:
        return cast("list[BaseArchitecture]", list(self.members))


def _alike(members: list[BaseArchitecture]) -> list[list[int]]:
    """Numbers of the members that could run as one, by type and parameters."""
    groups: list[list[int]] = []
    for k, member in enumerate(members):
        for group in groups if member.vectorises else ():
            if Registry.spec(members[group[0]]) == Registry.spec(member):
                group.append(k)
                break
        else:
            groups.append([k])
    return groups
