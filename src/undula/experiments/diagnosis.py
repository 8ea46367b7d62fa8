"""Pictures and numbers with which a trained model's predictions are debugged."""

from __future__ import annotations

__all__ = ["Diagnosis", "Picture", "table_in_words"]

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.errors import IncompatibleError
from ..core.randomness import Draws, Stream
from ..core.registry import Registry
from ..data.prepare import PreparedData
from ..data.windows import WindowDataset
from ..diffusion.analytic import GaussianDenoiser
from ..diffusion.diagnosis import (
    LevelRow,
    RecordingDenoiser,
    by_noise_level,
    gaussian_reference,
    spread_along,
)
from ..diffusion.sampler import SampleNoise
from ..model import DiffusionModel
from ..model.fitting import training_batch
from ..nn.attention_maps import recorded_attention
from .bottleneck import is_latent, save_reconstructions

Picture = Literal["trajectories", "loss_by_noise", "calibration", "attention", "reconstructions"]
_KINDS: tuple[Picture, ...] = ("trajectories", "loss_by_noise", "calibration", "attention", "reconstructions")
_RECONSTRUCTED = 6
_HELD_OUT, _FOR_GAUSSIAN, _DRAWN = 256, 20_000, 64
_ATTENTION_AT = (-4.0, 0.0, 4.0)


class Diagnosis:
    """What a trained model does with its data.

    Args:
        model: fitted, on the CPU.
        prepared: the data that it was fitted on.
        seed: of samples and noise.
    """

    def __init__(self, model: DiffusionModel, prepared: PreparedData, seed: int = 0) -> None:
        self.model, self.prepared, self.seed = model, prepared, seed
        self.title = Registry.name(model.parts_.architecture)

    @property
    def kinds(self) -> list[Picture]:
        """The pictures that this model may have; reconstructions are of latent models alone."""
        return [kind for kind in _KINDS if kind != "reconstructions" or is_latent(self.model)]

    def save(self, what: Picture, folder: Path) -> list[Path]:
        """Write the pictures of one kind.

        Args:
            what: which.
            folder: where `<what>.png` goes; reconstructions are `vae_recon_idx_000.png` and so on.

        Returns:
            The files.

        Raises:
            IncompatibleError: if this model has nothing of the kind to show.
        """
        draw: dict[Picture, Callable[[Path], list[Path]]] = {
            "trajectories": self._trajectories,
            "loss_by_noise": self._loss_by_noise,
            "calibration": self._calibration,
            "attention": self._attention,
            "reconstructions": self._reconstructions,
        }
        return draw[what](folder / f"{what}.png")

    @cached_property
    def by_noise_level(self) -> list[LevelRow]:
        """Loss, error and calibration on held-out windows; see `diffusion.diagnosis`."""
        z, told = self._diffused(self._held_out, _HELD_OUT)
        gaussian = None if isinstance(self._gaussian, str) else self._gaussian
        parts = self.model.parts_
        return by_noise_level(self.model.denoiser_, parts.objective, z, told, gaussian, seed=self.seed)

    # -- pictures ------------------------------------------------------------------------------

    def _trajectories(self, path: Path) -> list[Path]:
        from ..report.diagnostics import save_trajectories

        parts, collator = self.model.parts_, self.model.collator_
        recorder, s = RecordingDenoiser(self.model.denoiser_, _DRAWN), self.model.denoiser_.parametrization.s
        length = collator.length or int(np.median(self._held_out.lengths))
        batch = self._batch(self._held_out, _DRAWN)
        condition = _cut(batch.condition, length)
        n = len(batch.x)
        like = torch.empty(n, len(collator.columns), length)
        told = parts.preprocessing.condition(condition, like)
        noise = SampleNoise(self.seed, torch.arange(n), *parts.preprocessing.shape(*like.shape[1:]))
        parts.sampler.sample(recorder, noise, told)
        of_levels = list({float(call.level.tau): call for call in recorder.calls}.values())
        calls = []
        for call in of_levels:
            spread = (float(call.level.alpha) * s) ** 2 + float(call.level.sigma) ** 2
            with torch.no_grad():
                series = parts.preprocessing.inverse_transform(call.d.double(), condition)
            alpha, sigma = float(call.level.alpha), float(call.level.sigma)
            calls.append(
                {
                    "log_snr": 2 * np.log(alpha / sigma) if alpha > 0 else -np.inf,
                    "x_t": (call.x_t[:, 0] / spread**0.5).numpy(),
                    "d": (call.d[:, 0] / s).numpy(),
                    "series": series[:, 0].numpy(),
                }
            )
        title = f"{self.title}: sampler {Registry.name(parts.sampler)}, {len(recorder.calls)} calls"
        save_trajectories(path, calls, spread_along(of_levels, s), collator.columns[0], title)
        return [path]

    def _loss_by_noise(self, path: Path) -> list[Path]:
        from ..report.diagnostics import save_loss_by_noise

        save_loss_by_noise(path, self.by_noise_level, self._heading, self._reference)
        return [path]

    def _calibration(self, path: Path) -> list[Path]:
        from ..report.diagnostics import save_calibration

        save_calibration(path, self.by_noise_level, self._heading, self._reference)
        return [path]

    def _attention(self, path: Path) -> list[Path]:
        from ..report.diagnostics import save_attention

        denoiser = self.model.denoiser_
        z, told = self._diffused(self._held_out, 32)
        white = Stream(self.seed, "diagnosis").normal(0, torch.arange(len(z)), *z.shape[1:])
        eps = denoiser.path.noise.colour(white, told)
        found: dict[str, dict[str, dict[str, Any]]] = {"self": {}, "cross": {}}
        for log_snr in _ATTENTION_AT:
            time = float(denoiser.path.sde.time_at(torch.tensor(log_snr, dtype=torch.float64)))
            level = denoiser.path.level(time)
            with torch.no_grad(), recorded_attention(denoiser.network) as maps:
                denoiser(denoiser.path.perturb(z, eps, level), level, told)
            for item in maps:
                mean = item.weights.double().mean((0, 1)).numpy()
                found[item.kind].setdefault(item.layer, {})[f"λ = {log_snr:.0f}"] = mean
        if not found["self"] and not found["cross"]:
            raise IncompatibleError(
                f"architecture {self.title!r} has no attention to show: use --what trajectories, "
                "loss_by_noise or calibration"
            )
        heading = f"{self.title}: mean over heads and {len(z)} windows"
        made = []
        if found["self"]:
            made.append(path)
            save_attention(path, found["self"], f"Attention of {heading}", "attended token")
        if found["cross"]:
            made.append(path.with_name("attention_to_history.png") if found["self"] else path)
            title = f"Attention to the history, {heading}"
            save_attention(made[-1], found["cross"], title, "token of the history")
        return made

    def _reconstructions(self, path: Path) -> list[Path]:
        return save_reconstructions(self.model, self.prepared, path.parent, _RECONSTRUCTED, self.seed)

    # -- inside --------------------------------------------------------------------------------

    @property
    def _held_out(self) -> WindowDataset:
        parts = self.prepared.parts
        return parts.val or parts.test or parts.train

    @property
    def _heading(self) -> str:
        part = (
            "held-out windows" if self.prepared.parts.val or self.prepared.parts.test else "training windows"
        )
        return f"{self.title}: {min(_HELD_OUT, len(self._held_out))} {part}"

    @cached_property
    def _gaussian(self) -> GaussianDenoiser | str:
        collator = self.model.collator_
        if collator.length is None:
            return "windows differ in length: no Gaussian"
        if collator.masked:
            return "windows have missing values: no Gaussian"
        z, _ = self._diffused(self.prepared.parts.train, _FOR_GAUSSIAN)
        found = gaussian_reference(self.model.denoiser_, z)
        self._fitted_on = len(z)
        return f"no Gaussian: {found}" if isinstance(found, str) else found

    @property
    def _reference(self) -> str:
        if isinstance(self._gaussian, str):
            return self._gaussian
        told = ", not told the condition" if self.model.collator_.layout.droppable else ""
        return f"Gaussian: moments of {self._fitted_on:,} training windows{told}"

    def _batch(self, part: WindowDataset, most: int) -> Any:
        chosen = np.unique(np.linspace(0, len(part) - 1, min(len(part), most)).astype(np.int64))
        return training_batch(self.model.collator_, part.batch(chosen))

    def _diffused(self, part: WindowDataset, most: int) -> tuple[Tensor, Condition | None]:
        """Windows of a part in what is diffused, and what the network is told of them."""
        batch, preprocessing = self._batch(part, most), self.model.parts_.preprocessing
        draws = Draws(self.seed, "diagnosis", 0, torch.arange(len(batch.x)))
        z = preprocessing.draw(batch.x, batch.condition, draws).float()
        return z, preprocessing.condition(batch.condition, batch.x)


def _cut(condition: Condition | None, length: int) -> Condition | None:
    """A condition for windows that are all there and have this length."""
    if condition is None:
        return None
    aligned = {name: part[..., :length] for name, part in condition.aligned.items()}
    if "observed" in aligned:
        aligned["observed"] = torch.ones_like(aligned["observed"])
    return replace(condition, aligned=aligned, exists=None, valid=None)


def table_in_words(rows: Sequence[LevelRow]) -> list[str]:
    """Lines of a table: loss and error by noise level."""
    lines = [f"{'log SNR':>8} {'t':>7} {'loss':>10} {'error/s²':>10} {'Gaussian':>10} {'slope':>7}"]
    for row in rows:
        numbers = [row.loss, row.error, row.gaussian_error]
        cells = " ".join(f"{'–' if x is None else f'{x:.4g}':>10}" for x in numbers)
        slope = "–" if row.calibration is None else f"{row.calibration:.3f}"
        lines.append(f"{row.log_snr:8.2f} {row.t:7.4f} {cells} {slope:>7}")
    return lines
