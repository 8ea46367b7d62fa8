"""What each guidance is worth and costs: oracles whose posterior is known, and times beside no guidance.

Oracles: a Gaussian series of 64 points (AR(1), ρ = .9). *low frequencies*: its 8 lowest cosine components
are observed exactly. *blurred*: the series smeared by 2 points, with noise of standard deviation .1 to 1.
The denoiser is exact, so that what is off is the guidance. W2 is the 2-Wasserstein distance between the
samples' Gaussian and the true posterior, in its standard deviation √tr C. Guided denoisers here are affine,
so that mean and covariance of the samples are read off without a draw; those of `dps`, which is not, are of
20,000 samples, as are those of the exact score beside it.

Cost: seconds of sampling, in turn with sampling without guidance, one thread; half of the window observed.

    python benchmarks/guidance.py
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from common import alternate, ratio, table, verdict, write
from undula.core.condition import Layout
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.denoiser import BaseDenoiser, NetDenoiser
from undula.diffusion.guidance import guided
from undula.diffusion.measurement import Measurement
from undula.diffusion.parametrization import Parametrization
from undula.diffusion.path import GaussianPath
from undula.diffusion.prior import GaussianPrior
from undula.diffusion.sampler import SampleNoise

POINTS, BINS, RHO, STEPS = 64, 8, 0.9, 50
DRAWS = 20_000
PAGE = Path(__file__).parents[1] / "docs" / "concepts" / "guidance.md"
GUIDANCES: dict[str, Any] = {
    "posterior": {"type": "posterior", "params": {}},
    "posterior, 1 iteration": {"type": "posterior", "params": {"iterations": 1}},
    "wiener": "wiener",
    "pseudo_inverse": "pseudo_inverse",
    "projection": "projection",
    "ramp": "ramp",
}
NETWORKS: dict[str, Any] = {
    "mlp (6 × 24)": ({"type": "mlp", "params": {"model_dim": 512, "num_layers": 4}}, (6, 24)),
    "transformer (2 × 128)": (
        {"type": "transformer", "params": {"model_dim": 64, "num_layers": 3}},
        (2, 128),
    ),
    "unet (1 × 256)": ("unet", (1, 256)),
}
PATH = GaussianPath(sde=Registry.get("sde", "vpsde"), noise=Registry.get("noise", "standard"))


class LastStep(BaseDenoiser):
    """Projection at the last call alone."""

    def __init__(self, inner: BaseDenoiser, projected: BaseDenoiser, last: float) -> None:
        self.inner, self.projected, self.path, self.last = inner, projected, inner.path, last

    def __call__(self, x_t: Tensor, t: Any, condition: Any = None) -> Tensor:
        level: NoiseLevel = self.path.level(t)
        return (self.projected if level.sigma <= self.last else self.inner)(x_t, level, condition)


def root(matrix: Tensor) -> Tensor:
    """The symmetric square root."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0.0).sqrt()) @ vectors.mT


def w2(mean: Tensor, cov: Tensor, other_mean: Tensor, other_cov: Tensor) -> float:
    """The 2-Wasserstein distance of two Gaussians."""
    half = root(cov)
    spread = (cov + other_cov - 2.0 * root(half @ other_cov @ half)).trace().clamp(min=0.0)
    return float(((mean - other_mean).square().sum() + spread).sqrt())


def oracle(what: str) -> dict[str, float]:
    """W2 of each guidance."""
    steps = torch.arange(POINTS, dtype=torch.float64)
    cov = RHO ** (steps[:, None] - steps).abs()
    zero = torch.zeros(1, POINTS, dtype=torch.float64)
    exactly = what == "low frequencies"
    if exactly:
        operator, noise = Registry.get("operator", "low_pass", components=BINS), torch.zeros_like(steps)
    else:
        operator, noise = (
            Registry.get("operator", "blur", sigma=2.0),
            torch.linspace(0.1, 1.0, POINTS).double(),
        )
    seen = operator(torch.eye(POINTS, dtype=torch.float64)[:, None])[:, 0].mT
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(2, POINTS, generator=generator, dtype=torch.float64)
    y = seen @ torch.linalg.cholesky(cov) @ draws[0] + noise * draws[1]
    inverse = torch.linalg.pinv(seen @ cov @ seen.mT + torch.diag(noise**2), hermitian=True, rtol=1e-10)
    gain = cov @ seen.mT @ inverse
    mean, left = gain @ y, cov - gain @ seen @ cov
    scale = float(left.trace()) ** 0.5

    def measured(size: int) -> Measurement:
        return Measurement(
            y=y.expand(size, 1, -1),
            variance=(noise**2).expand(size, 1, -1),
            operator=operator,
            prior=GaussianPrior.of_covariance(zero, cov),
        )

    plain, exact = GaussianDenoiser(PATH, zero, cov), GaussianDenoiser(PATH, mean[None], left)
    sampler = Registry.get("sampler", "heun", num_steps=STEPS, grid="log_snr")
    levels = sampler.levels(PATH)
    start = levels[0].sigma * torch.cat((zero[None], torch.eye(POINTS, dtype=torch.float64)[:, None]))

    def read_off(denoiser: BaseDenoiser) -> float:
        with torch.no_grad():
            image = sampler.integrate(denoiser, start, levels)[:, 0]
        columns = image[1:] - image[0]
        return w2(image[0], columns.mT @ columns, mean, left) / scale

    def drawn(denoiser: BaseDenoiser) -> float:
        white = SampleNoise(0, torch.arange(DRAWS), 1, POINTS, torch.float64)
        samples = sampler.sample(denoiser, white)[:, 0]
        return w2(samples.mean(0), torch.cov(samples.mT), mean, left) / scale

    size = len(start)
    found = {"exact score of the posterior": read_off(exact)}
    for name, spec in GUIDANCES.items():
        if exactly or name not in ("projection", "ramp"):
            found[name] = read_off(guided(plain, [Registry.resolve("guidance", spec)], measured(size)))
    if exactly:
        projected = guided(plain, [Registry.get("guidance", "projection")], measured(size))
        last = LastStep(plain, projected, float(levels[-2].sigma))
        found["projection at the last step alone"] = read_off(last)
    found["none"] = read_off(plain)
    several = Registry.get("guidance", "posterior", iterations=8)
    found["posterior, 8 iterations, without a fitted Gaussian"] = read_off(
        guided(plain, [several], replace(measured(size), prior=None))
    )
    found[f"dps ({DRAWS:,} samples)"] = drawn(
        guided(plain, [Registry.get("guidance", "dps")], measured(DRAWS))
    )
    found[f"exact score ({DRAWS:,} samples)"] = drawn(exact)
    return found


def costs(rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of sampling beside those without guidance, of some networks."""
    return {label: _costs(*given, rounds) for label, given in NETWORKS.items()}


def _costs(architecture: dict[str, Any], shape: tuple[int, int], rounds: int) -> dict[str, float]:
    network = Registry.resolve("architecture", architecture)
    network.build(Layout(channels=shape[0], length=shape[1]))
    network.eval()
    denoiser = NetDenoiser(network, PATH, Parametrization(prediction="v", s=1.0))
    size = 32
    variance = torch.zeros(size, *shape)
    variance[..., shape[1] // 2 :] = torch.inf
    measurement = Measurement(
        y=torch.randn(size, *shape, generator=torch.Generator().manual_seed(0)),
        variance=variance,
        operator=Registry.get("operator", "identity"),
        prior=GaussianPrior.fit(torch.randn(500, *shape, generator=torch.Generator().manual_seed(1))),
    )
    sampler = Registry.get("sampler", "dpm", num_steps=8, grid="log_snr")
    noise = SampleNoise(0, torch.arange(size), *shape)

    def call(spec: Any) -> Callable[[], Tensor]:
        steered = (
            denoiser if spec is None else guided(denoiser, [Registry.resolve("guidance", spec)], measurement)
        )
        return lambda: sampler.sample(steered, noise)

    specs = {name: _always_the_network(spec) for name, spec in {**GUIDANCES, "dps": "dps"}.items()}
    seconds = alternate({"none": call(None), **{name: call(spec) for name, spec in specs.items()}}, rounds)
    return {name: ratio(seconds, name, "none") for name in specs}


def _always_the_network(spec: Any) -> Any:
    """`posterior` with the network's covariance at every noise level: its highest cost."""
    if isinstance(spec, str):
        return spec
    return {**spec, "params": {**spec["params"], "on_prior": 0.0}}


def page(found: dict[str, dict[str, float]], paid: dict[str, dict[str, float]]) -> None:
    """Write the table into the documentation, between its marks."""

    def cell(values: dict[str, float], name: str, form: str) -> str:
        return format(values[name], form) if name in values else ""

    names = list(dict.fromkeys(name for values in found.values() for name in values))
    lines = [
        f"| guidance | {' | '.join(f'W2/sd, {what}' for what in found)} | "
        f"{' | '.join(f'time, {label}' for label in paid)} |",
        f"|---|{'---|' * (len(found) + len(paid))}",
    ]
    for name in names:
        cells = [cell(values, name, ".3f") for values in found.values()]
        cells += [cell(values, name.partition(" (")[0], ".2f") for values in paid.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    text = PAGE.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- made by benchmarks/guidance.py -->\n).*?(\n<!-- end -->)", re.DOTALL)
    assert marked.search(text), f"{PAGE} has no place for the table"
    PAGE.write_text(marked.sub(lambda m: m[1] + "\n".join(lines) + m[2], text), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", default="guidance", help="name of the result file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = {what: oracle(what) for what in ("low frequencies", "blurred")}
    names = dict.fromkeys(name for values in found.values() for name in values)
    table([{"guidance": n, **{what: values.get(n, "") for what, values in found.items()}} for n in names])
    low = found["low frequencies"]
    ratio_to_exact = low["posterior"] / low["exact score of the posterior"]
    verdicts = [
        verdict("posterior, W2 over the exact score's", ratio_to_exact, 1.5),
        verdict("projection, W2", low["projection"], 0.10),
    ]
    paid = costs(arguments.rounds)
    table(
        [
            {"guidance": n, **{label: values[n] for label, values in paid.items()}}
            for n in paid[next(iter(paid))]
        ]
    )
    for name, bound in (("posterior, 1 iteration", 3.5), ("projection", 1.05)):
        worst = max(values[name] for values in paid.values())
        verdicts.append(verdict(f"{name}, times no guidance (the worst network)", worst, bound))
    page(found, paid)
    write(arguments.out, {"oracles": found, "costs": paid, "verdicts": verdicts})


if __name__ == "__main__":
    main()
