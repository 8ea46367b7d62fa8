"""Latent diffusion against its own autoencoder: the preset sp500_latent, several seeds.

For each seed the preset is trained, and five sets of windows are drawn: latent diffusion; the same
autoencoder without diffusion (`vae_only`, decoded draws of its prior); decoded draws of its posterior
over the training windows, the best that diffusion in these latents can reach; and the baselines `vae`
(with its own defaults, beta 1) and `timevae`. The statistics are those of tails and of clustering; each
cell is the mean over seeds, with the standard deviation in the JSON file. `wins` counts, of kurtosis,
both tails and acf_abs, those in which latent diffusion lies nearer to the training part / to the test
part than the set of the row, by means over seeds.

    python benchmarks/latent.py [--seeds 3] [--samples 4000]
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from common import table, write
from undula import DiffusionModel, Registry
from undula.config.loading import load_config
from undula.core.randomness import Draws
from undula.data.prepare import PreparedData, prepare
from undula.evaluation.statistics import STATISTICS
from undula.experiments.bottleneck import decoded_prior
from undula.model.fitting import training_batch

SHOWN = (
    "std",
    "kurtosis",
    "quantile_0.1%",
    "quantile_99.9%",
    "tail_0.1%",
    "tail_99.9%",
    "acf_abs",
    "leverage",
)
JUDGED = ("kurtosis", "tail_0.1%", "tail_99.9%", "acf_abs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=4000)
    arguments = parser.parse_args()
    prepared = prepare(load_config("sp500_latent").data)
    real = {name: figures(getattr(prepared.parts, name).futures()) for name in ("train", "test")}
    runs: dict[str, list[dict[str, float]]] = {}
    for seed in range(arguments.seeds):
        for name, found in of_seed(prepared, seed, arguments.samples).items():
            runs.setdefault(name, []).append(found)
    means = {
        name: {k: statistics.fmean(run[k] for run in found) for k in found[0]} for name, found in runs.items()
    }
    rows = [{"windows": f"real, {name} part", **cells(found), "wins": ""} for name, found in real.items()]
    for name, found in means.items():
        wins = " / ".join(str(nearer(means["latent diffusion"], found, of)) for of in real.values())
        rows.append({"windows": name, **cells(found), "wins": "" if name == "latent diffusion" else wins})
    table(rows)
    seconds = {
        k: round(statistics.fmean(r[k] for r in runs["latent diffusion"]), 1)
        for k in ("vae_s", "diffusion_s")
    }
    print(f"seconds on {torch.get_num_threads()} threads: {seconds}")
    sds = {
        name: {k: statistics.pstdev(run[k] for run in found) for k in SHOWN} for name, found in runs.items()
    }
    write("latent", {"real": real, "means": means, "sds": sds, "seconds": seconds, "seeds": arguments.seeds})


def of_seed(prepared: PreparedData, seed: int, n: int) -> dict[str, dict[str, float]]:
    config = load_config("sp500_latent", [f"experiment.seed={seed}", "training.sample_every=null"])
    model = DiffusionModel.from_config(config)
    model.fit(prepared)
    assert model.outcome_ is not None and model.stage_outcome_ is not None
    seconds = {"vae_s": model.stage_outcome_.seconds, "diffusion_s": model.outcome_.seconds}
    found = {
        "latent diffusion": {**figures(np.asarray(model.sample(n, seed))), **seconds},
        "vae_only": figures(decoded_prior(model, n, seed)),
        "decode(posterior)": figures(decoded_posterior(model, prepared, n, seed)),
    }
    stretches = prepared.parts.train.stretches()
    for name in ("vae", "timevae"):
        start = time.perf_counter()
        baseline = Registry.get("baseline", name, seed=seed).fit(stretches, model.collator_.length)
        found[f"baseline {name}"] = figures(baseline.sample(n, seed))
        print(f"seed {seed}: {name} {time.perf_counter() - start:.0f} s", flush=True)
    return found


def decoded_posterior(model: DiffusionModel, prepared: PreparedData, n: int, seed: int) -> np.ndarray:
    train, preprocessing = prepared.parts.train, model.parts_.preprocessing
    chosen = np.arange(n) % len(train)
    batch = training_batch(model.collator_, train.batch(chosen))
    index = torch.arange(n)
    with torch.no_grad():
        z = preprocessing.draw(batch.x, batch.condition, Draws(seed, "posterior", 0, index))
        return preprocessing.draw_inverse(z, None, Draws(seed, "decoder", 0, index)).mT.numpy()


def figures(windows: np.ndarray) -> dict[str, float]:
    return {name: STATISTICS[name](windows[:, :, 0]) for name in SHOWN}


def nearer(model: dict[str, float], other: dict[str, float], real: dict[str, float]) -> int:
    return sum(abs(model[k] - real[k]) < abs(other[k] - real[k]) for k in JUDGED)


def cells(found: dict[str, float]) -> dict[str, float]:
    return {name: found[name] for name in SHOWN}


if __name__ == "__main__":
    main()
