"""What `undula sample` says and draws of samples beside the data: real windows, latents, the prior."""

from __future__ import annotations

__all__ = ["SampledReport", "beside_the_data", "report_samples", "save_pairs"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..config.loading import load_config
from ..core.errors import ConfigError, UndulaError
from ..core.randomness import Draws
from ..data.prepare import PreparedData, prepare
from ..evaluation.bottleneck import latent_mismatch, probe_statistics
from ..model import DiffusionModel
from ..model.fitting import training_batch
from .bottleneck import decoded_prior, is_latent

Array = NDArray[np.floating[Any]]

_MOST, _PAIRED, _PICTURES = 4000, 6, 4


@dataclass(frozen=True)
class SampledReport:
    """Samples of a latent model in figures.

    Args:
        columns: names of the features.
        latents: of the generated latents, by unit: mean, sd and excess kurtosis, in the standard
            deviations of the posterior's draws.
        mismatch: distances to the posterior's draws over the training windows: of the prior, of the
            generated latents, and of as many of the draws to half of them (the floor).
        decoded: statistics of the samples, of training windows, and of decoded draws of the prior.
    """

    columns: list[str]
    latents: dict[str, list[float]]
    mismatch: dict[str, dict[str, float]]
    decoded: dict[str, dict[str, list[float]]]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"latents": self.latents, "mismatch": self.mismatch, "decoded": self.decoded}

    def lines(self) -> list[str]:
        """The same as lines for a terminal."""
        from ..report.words import number

        sd, kurtosis = np.array(self.latents["sd"]), np.array(self.latents["kurtosis"])
        mean = np.array(self.latents["mean"])
        ranges = (
            f"{name} {values.min():.2f} to {values.max():.2f}"
            for name, values in (("mean", mean), ("sd", sd), ("excess kurtosis", kurtosis))
        )
        lines = [f"latents, {len(sd)} units, in sd of the posterior's draws: {', '.join(ranges)}"]
        words = {
            "prior": "the prior",
            "generated": "generated latents",
            "floor": "their other half (floor)",
        }
        lines += [
            f"from the posterior's draws to {words[who]}: Wasserstein {found['wasserstein']:.3f} a unit, "
            f"correlations {found['correlation']:.3f}"
            for who, found in self.mismatch.items()
        ]
        for c, column in enumerate(self.columns):
            for who, statistics in self.decoded.items():
                text = ", ".join(f"{name} {number(values[c])}" for name, values in statistics.items())
                lines.append(f"{'decoded prior' if who == 'prior' else who}, {column}: {text}")
        return lines


def beside_the_data(
    model: DiffusionModel,
    folder: Path,
    target: Path,
    samples: list[Array],
    latents: list[Array],
    pictures: int | None,
    seed: int,
) -> tuple[list[Path], SampledReport | None, str]:
    """What there is to draw and to say of samples where the run's data are at hand.

    Args:
        model: fitted.
        folder: that it was loaded from; its config says which data are its own.
        target: the file of the samples; pictures go to `plots` beside it.
        samples: (L_i, C), in the data's units.
        latents: batches of them as they were generated, (B, C', L').
        pictures: how many; None: 4 of a latent model's run, else none.
        seed: of the samples.

    Returns:
        The pictures, the figures of a latent model (None for others), and why there is neither, if the
        data that this needs are not there.

    Raises:
        UndulaError: if pictures are wanted, and the run's data are not there.
    """
    config = folder / "config.yaml"
    if not config.is_file() and pictures:
        raise ConfigError(f"--pictures needs a run folder, whose data are known, and {folder} is none")
    if not config.is_file() or not (pictures or is_latent(model)):
        return [], None, ""
    try:
        prepared = prepare(load_config(config).data)
    except UndulaError as error:
        if pictures:
            raise
        return [], None, f"no figures beside the run's data, which cannot be read: {error}"
    parts = prepared.parts
    named = (("test", parts.test), ("validation", parts.val), ("training", parts.train))
    name, part = next((n, p) for n, p in named if p is not None)
    wanted = _PICTURES if pictures is None else pictures
    chosen = np.unique(np.linspace(0, len(part) - 1, min(len(part), wanted * _PAIRED)).astype(np.int64))
    real = [part.batch(np.array([i])).future[0] for i in chosen]
    made = save_pairs(target.parent / "plots", real, name, samples, model.columns_, wanted)
    if not is_latent(model):
        return made, None, ""
    found = report_samples(model, prepared, np.stack(samples), np.concatenate(latents), seed)
    return made, found, ""


def report_samples(
    model: DiffusionModel, prepared: PreparedData, samples: Array, latents: Array, seed: int = 0
) -> SampledReport:
    """Compare samples and their latents with the training part's, and both with the prior's.

    Args:
        model: fitted, with an autoencoder.
        prepared: its data.
        samples: (N, L, C), in the data's units.
        latents: (N, D, T), as they were generated.
        seed: of draws from the posterior and the prior.
    """
    preprocessing, train = model.parts_.preprocessing, prepared.parts.train
    chosen = np.unique(np.linspace(0, len(train) - 1, min(len(train), _MOST)).astype(np.int64))
    batch = training_batch(model.collator_, train.batch(chosen))
    with torch.no_grad():
        posterior = preprocessing.draw(
            batch.x, batch.condition, Draws(seed, "posterior", 0, torch.arange(len(batch.x)))
        )
        prior = preprocessing.prior(Draws(seed, "prior", 0, torch.arange(len(batch.x))))
    real, drawn = posterior.flatten(1).numpy(), prior.flatten(1).numpy()
    made = latents.reshape(len(latents), -1)
    half = real[::2]
    some = half[np.linspace(0, len(half) - 1, min(len(made), len(half))).astype(np.int64)]
    centred = made - made.mean(0)
    sd = made.std(0)
    kurtosis = (centred**4).mean(0) / np.where(sd > 0, sd, 1.0) ** 4 - 3.0
    return SampledReport(
        columns=model.columns_,
        latents={"mean": made.mean(0).tolist(), "sd": sd.tolist(), "kurtosis": kurtosis.tolist()},
        mismatch={
            "prior": latent_mismatch(drawn, real),
            "generated": latent_mismatch(made, real),
            "floor": latent_mismatch(some, real[1::2]),
        },
        decoded=probe_statistics(
            {
                "generated": samples,
                "training part": batch.x.transpose(1, 2).numpy(),
                "prior": decoded_prior(model, len(samples), seed),
            }
        ),
    )


def save_pairs(
    folder: Path, real: list[Array], part: str, samples: list[Array], columns: list[str], pictures: int
) -> list[Path]:
    """Pictures `real_vs_gen_000.png` and so on, each of six real and six generated windows.

    Args:
        folder: where they go.
        real: windows (L_i, C) in the data's units.
        part: which part of the data they are.
        samples: likewise.
        columns: names of the C columns.
        pictures: how many; fewer where there are not so many samples.
    """
    from ..report.plots import save_windows

    made = []
    count = min(pictures, -(-len(samples) // _PAIRED))
    order = np.linspace(0, len(real) - 1, count * _PAIRED).astype(int)
    for k in range(count):
        path = folder / f"real_vs_gen_{k:03d}.png"
        shown = [real[i] for i in order[k::count]]
        some = samples[k * _PAIRED : (k + 1) * _PAIRED]
        save_windows(
            path,
            shown,
            some,
            columns,
            f"{part} part, and samples {k * _PAIRED} to {k * _PAIRED + len(some) - 1}",
        )
        made.append(path)
    return made
