"""What a run shows: samples on the way, pictures and a page at its end."""

from __future__ import annotations

__all__ = ["Watch", "write_report"]

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.schema import Config
from ..config.yaml12 import dump_yaml
from ..core.signature import spec_in_words
from ..data.prepare import PreparedData
from ..evaluation.bottleneck import Bottleneck
from ..evaluation.judge import judge
from ..evaluation.names import chosen
from ..model import DiffusionModel
from ..training.loggers import TensorBoardLogger
from .base import Generator
from .evaluating import RunEvaluation, conditions, histories, padded, real_windows
from .folder import RunFolder

if TYPE_CHECKING:
    from ..report.profiles import Profile

_PICTURED = 256
_WATCHED = ("wasserstein", "std", "kurtosis", "acf_abs")


def write_report(
    folder: RunFolder,
    config: Config,
    model: Generator,
    prepared: PreparedData,
    evaluation: RunEvaluation,
    results: dict[str, Any],
    probe: Bottleneck | None = None,
) -> bool:
    """Write the pictures and the page, with what an autoencoder lets through, if there is one.

    Returns:
        Whether there was something to show: without held-out data there is not.
    """
    if evaluation.held_out is None or evaluation.judgement is None:
        return False
    from ..report.page import PageContent, write_page
    from ..report.plots import save_dynamics, save_marginals, save_windows

    real, generated, columns = evaluation.held_out.windows, evaluation.generated, model.columns_
    title = config.experiment.name
    save_windows(folder.plots / "windows.png", _spread(real), list(generated), columns, title)
    save_marginals(folder.plots / "marginals.png", real, generated, columns)
    save_dynamics(folder.plots / "dynamics.png", real, generated, columns)
    content = PageContent(
        title=title,
        description=config.experiment.description,
        made="A diffusion model was trained"
        if isinstance(model, DiffusionModel)
        else "A baseline was fitted",
        facts=[*_facts(config, model, results), ("figures", evaluation.judgement.protocol)],
        notes=results["data"]["notes"],
        columns=columns,
        real=real,
        train=evaluation.train.windows,
        generated=generated,
        baselines=evaluation.baselines,
        judgement=evaluation.judgement,
        curve=folder.curve(),
        config=dump_yaml(config.model_dump(mode="json")),
        histories=histories(model, prepared, evaluation, config)
        if isinstance(model, DiffusionModel)
        else None,
        probe=probe,
        profiles=_profiles(folder, config, evaluation, columns),
    )
    write_page(folder.path / "report.html", content)
    return True


def _profiles(
    folder: RunFolder, config: Config, evaluation: RunEvaluation, columns: list[str]
) -> list[Profile]:
    """Courses of windows, for a field that asks for them; pictured."""
    if config.evaluation.domain != "energy" or evaluation.held_out is None:
        return []
    from ..domains.energy.clock import profile_by_step
    from ..report.profiles import save_profiles

    real = {"training part": evaluation.train.windows, "held-out": evaluation.held_out.windows}
    found = [profile_by_step(columns, {**real, "generated": evaluation.generated})]
    save_profiles(folder.plots / "profiles.png", found)
    return found


def _facts(config: Config, model: Generator, results: dict[str, Any]) -> list[tuple[str, str]]:
    """How the samples were made, as (what, value)."""
    components, timing = config.components, results["timing"]
    per_thousand = f"{timing['sample_s_per_1000']:.2f} s per 1,000 samples"
    if not isinstance(model, DiffusionModel):
        return [
            ("baseline", spec_in_words(config.experiment.params["baseline"])),
            ("fitted", f"in {timing['train_s']:.1f} s, seed {results['seed']}, {per_thousand}"),
        ]
    return [
        ("model", f"{components.architecture.type}, {timing['parameters']:,} parameters"),
        ("trained", f"{timing['steps']:,} steps in {timing['train_s']:.0f} s, seed {results['seed']}"),
        (
            "diffusion",
            f"{components.objective.type} on {type(model.parts_.sde).__name__}, "
            f"sampler {components.sampler.type} with {timing['calls_per_sample']:g} network calls, "
            f"{per_thousand}",
        ),
    ]


class Watch:
    """Samples on the way: a picture, and a few figures against the validation part.

    Args:
        config: the run's.
        prepared: its data.
        folder: where pictures go.
        board: where they go too.
        say: where the figures go, in words.
    """

    def __init__(
        self,
        config: Config,
        prepared: PreparedData,
        folder: RunFolder,
        board: TensorBoardLogger,
        say: Callable[[str], None],
    ) -> None:
        self.config, self.prepared, self.folder, self.board, self.say = config, prepared, folder, board, say
        part = prepared.parts.val or prepared.parts.train
        self.against = "validation part" if prepared.parts.val else "training part"
        self.part, self.real = part, real_windows(part, prepared)
        self.train = real_windows(prepared.parts.train, prepared)

    def __call__(self, model: DiffusionModel, epochs: int, steps: int) -> dict[str, float]:
        """Draw, judge, picture; the figures, to be logged."""
        start = time.perf_counter()
        samples = padded(list(model.sample(_PICTURED, seed=0, given=conditions(model, self.part, _PICTURED))))
        wanted = chosen(self.config.evaluation.metrics, samples.shape[2])
        names = [name for name in _WATCHED if name in wanted]
        figures = judge(samples, self.real, self.train, {}, names, draws=0).figures
        values = {
            f"samples/{name}": figure.statistic.get("generated", figure.value)
            for name, figure in figures.items()
        }
        path = self.folder.plots / f"epoch_{epochs:05d}.png"
        self._picture(path, samples, model.columns_, epochs, steps)
        numbers = "  ".join(
            f"{name} {figure.statistic.get('generated', figure.value):.3g}"
            + (f" ({figure.statistic['held_out']:.3g})" if figure.statistic else "")
            for name, figure in figures.items()
        )
        self.say(
            f"epoch {epochs}, step {steps:,}: {numbers}  ({self.against} in brackets; "
            f"{time.perf_counter() - start:.1f} s)"
        )
        return {name: value for name, value in values.items() if np.isfinite(value)}

    def _picture(self, path: Path, samples: np.ndarray, columns: list[str], epochs: int, steps: int) -> None:
        import matplotlib.image

        from ..report.plots import save_windows

        title = f"epoch {epochs}, step {steps:,}"
        save_windows(path, _spread(self.real.windows), list(samples), columns, title)
        pixels = (matplotlib.image.imread(path)[..., :3] * 255).astype(np.uint8)
        self.board.picture("samples", pixels, steps)


def _spread(windows: np.ndarray) -> list[np.ndarray]:
    """A few windows from all over a part."""
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), 6)).astype(int)
    return list(windows[chosen])
