"""Exchange one part, keep the rest, compare by held-out figures.

python examples/swap_one_part.py
"""

from undula import ExperimentRunner

common = [
    "data={dataset: ar1, columns: null, transform: none, stride: 16}",
    "training.num_epochs=20",
    "training.sample_every=null",
    "evaluation={num_samples: 500, metrics: [wasserstein, acf], domain: null}",
]
parts = {
    "flow matching": [],
    "noise prediction": ["components.sde.type=vpsde", "components.objective.type=score_matching"],
    "EDM": ["components.sde.type=vesde", "components.objective.type=edm"],
}
print(f"{'':18}{'Wasserstein':>12}{'floor':>10}{'acf':>10}{'floor':>10}")
for name, settings in parts.items():
    outcome = ExperimentRunner.from_config("sp500", [*common, *settings], quiet=True).run()
    figures = outcome.results["metrics"]
    cells = [figures[m][k] for m in ("wasserstein", "acf") for k in ("value", "floor")]
    print(f"{name:18}" + "".join(f"{cell:{12 if i == 0 else 10}.4f}" for i, cell in enumerate(cells)))
