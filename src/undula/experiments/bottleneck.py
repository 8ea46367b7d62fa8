"""The bottleneck probe of a model whose preprocessing is a trained autoencoder."""

from __future__ import annotations

__all__ = ["Probe", "decoded_prior", "is_latent", "probe_model", "save_reconstructions"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..components.preprocessing.vae import VAEPreprocessor
from ..core.errors import IncompatibleError
from ..core.preprocessing import BasePreprocessor
from ..core.randomness import Draws
from ..core.registry import Registry
from ..data.prepare import PreparedData
from ..data.windows import WindowDataset
from ..diffusion.loss import TrainingBatch
from ..evaluation.bottleneck import Bottleneck, Units, probe_bands, probe_statistics
from ..model import DiffusionModel
from ..model.fitting import training_batch

Array = NDArray[np.floating[Any]]

_MOST, _DRAWS = 4000, 100


@dataclass(frozen=True)
class Probe:
    """What the probe found, and the windows that it is about.

    Args:
        found: the figures.
        windows: the training part's sets of windows by name, each (N, L, C).
    """

    found: Bottleneck
    windows: dict[str, Array]


def is_latent(model: DiffusionModel) -> bool:
    """Whether what a fitted model diffuses are an autoencoder's latents."""
    return model.parts_.preprocessing.stage_name == "vae"


def probe_model(model: DiffusionModel, prepared: PreparedData, seed: int = 0) -> Probe:
    """Probe the autoencoder of a model; the diffusion's network need not be trained.

    Args:
        model: fitted.
        prepared: its data.
        seed: of draws from the posterior, the prior and the decoder.

    Raises:
        IncompatibleError: if the preprocessing is no autoencoder.
    """
    preprocessing = _of(model)
    parts = prepared.parts
    train = _windows(model, parts.train)
    windows = {**_decoded(preprocessing, train, seed), "prior": decoded_prior(model, len(train.x), seed)}
    sets = {"training": probe_statistics(windows)}
    held, part = _decoded(preprocessing, train, seed), "training part"
    name, other = ("validation", parts.val) if parts.val else ("test", parts.test)
    if other is not None:
        held, part = _decoded(preprocessing, _windows(model, other), seed), f"{name} part"
        sets[name] = probe_statistics(held)
    with torch.no_grad():
        vae, x = preprocessing.trained(train.x, train.condition) or (preprocessing, train.x)
    assert isinstance(vae, VAEPreprocessor)
    found = Bottleneck(
        columns=model.columns_,
        units=Units(**vae.units(x)),
        sets=sets,
        bands=probe_bands(held["data"], held["mean"]),
        part=part,
        parameters=sum(value.numel() for name, value in vae.state.items() if name.startswith("network.")),
    )
    return Probe(found, windows)


def decoded_prior(model: DiffusionModel, n: int, seed: int) -> Array:
    """What the autoencoder gives without diffusion: decoded draws of its prior, (n, L, C)."""
    preprocessing = _of(model)
    index = torch.arange(n)
    with torch.no_grad():
        z = preprocessing.prior(Draws(seed, "prior", 0, index))
        return _array(preprocessing.draw_inverse(z, None, Draws(seed, "decoder", 0, index)))


def save_reconstructions(
    model: DiffusionModel, prepared: PreparedData, folder: Path, count: int, seed: int = 0
) -> list[Path]:
    """Pictures of windows of the test part (or what is held out) and what the autoencoder makes of them.

    Args:
        model: fitted; the diffusion's network need not be trained.
        prepared: its data.
        folder: where `vae_recon_idx_000.png` and so on go, numbered as the windows of the part are.
        count: how many windows, evenly spaced.
        seed: of draws from the posterior and the decoder.

    Returns:
        The files.

    Raises:
        IncompatibleError: if the preprocessing is no autoencoder.
    """
    from ..report.bottleneck import save_reconstruction

    preprocessing, parts = _of(model), prepared.parts
    named = ((parts.test, "test"), (parts.val, "validation"), (parts.train, "training"))
    part, name = next((p, n) for p, n in named if p is not None)
    index = np.unique(np.linspace(0, len(part) - 1, min(len(part), count)).astype(np.int64))
    batch = training_batch(model.collator_, part.batch(index))
    drawn = [_decoded(preprocessing, batch, seed, step) for step in range(_DRAWS)]
    draws = np.stack([sets["posterior"] for sets in drawn], axis=1)
    times, made = part.times(), []
    for k, number in enumerate(index):
        path = folder / f"vae_recon_idx_{number:03d}.png"
        time = None if times is None else times[number]
        data, mean = drawn[0]["data"][k], drawn[0]["mean"][k]
        rmse = float(np.sqrt(np.mean((mean - data) ** 2)))
        title = f"{name} part, window {number}: rms error of decode(mean) {rmse:.3g}"
        save_reconstruction(path, data, mean, draws[k], model.columns_, title, time)
        made.append(path)
    return made


def _of(model: DiffusionModel) -> BasePreprocessor:
    preprocessing = model.parts_.preprocessing
    if not is_latent(model):
        raise IncompatibleError(
            f"preprocessing {Registry.name(preprocessing)!r} has no autoencoder to reconstruct windows: "
            "this needs a model with the preprocessing vae, such as the preset sp500_latent"
        )
    return preprocessing


def _windows(model: DiffusionModel, part: WindowDataset) -> TrainingBatch:
    chosen = np.unique(np.linspace(0, len(part) - 1, min(len(part), _MOST)).astype(np.int64))
    return training_batch(model.collator_, part.batch(chosen))


def _decoded(
    preprocessing: BasePreprocessor, batch: TrainingBatch, seed: int, step: int = 0
) -> dict[str, Array]:
    index, told = torch.arange(len(batch.x)), batch.condition
    with torch.no_grad():
        mean = preprocessing.inverse_transform(preprocessing.transform(batch.x, told), told)
        z = preprocessing.draw(batch.x, told, Draws(seed, "posterior", step, index))
        drawn = preprocessing.draw_inverse(z, told, Draws(seed, "decoder", step, index))
    return {"data": _array(batch.x), "mean": _array(mean), "posterior": _array(drawn)}


def _array(x: torch.Tensor) -> Array:
    found: Array = x.transpose(1, 2).cpu().numpy()
    return found
