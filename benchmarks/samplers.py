"""Error of every sampler against network calls, on the exact denoiser of a mixture.

The data are series of 2 channels and 16 steps from a mixture of four Gaussians, whose exact denoiser
stands for a perfect network: what is left is the samplers' error. It is the energy distance
2E|X−Y| − E|X−X'| − E|Y−Y'| (Székely, Rizzo 2013, doi:10.1016/j.jspi.2013.03.018; unbiased, the square of
a metric) between samples and exact draws, divided by that between the prior, from which samplers start,
and exact draws. All samplers start from the same noise and are compared with the same draws, so that
their differences are far more exact than the floor, the same figure for other exact draws.

    python benchmarks/samplers.py [--samples 4096] [--sde rectified]
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from common import table, verdict, write
from undula import GaussianMixtureDenoiser, GaussianPath, Registry
from undula.diffusion.guidance import CountedDenoiser
from undula.diffusion.sampler import BaseSampler, SampleNoise

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "samplers.png"
CHANNELS, LENGTH = 2, 16
CALLS = (5, 10, 20, 40, 80, 200, 1000)
FEW, MANY = 10, 1000
FLOORS = 4
SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "euler": ("euler", {}),
    "ddim": ("ddim", {}),
    "heun": ("heun", {}),
    "dpm 2M": ("dpm", {}),
    "dpm 3M": ("dpm", {"order": 3}),
    "dpm 2S": ("dpm", {"method": "singlestep"}),
    "dpm 3S": ("dpm", {"method": "singlestep", "order": 3}),
    "unipc": ("unipc", {}),
    "unipc order 3": ("unipc", {"order": 3}),
    "adaptive": ("adaptive", {}),
    "heun churn": ("heun", {"churn": 5.0}),
    "dpm 2M SDE": ("dpm", {"eta": 1.0}),
    "ddpm": ("ddpm", {}),
    "ddpm upper": ("ddpm", {"variance": "upper"}),
    "pc": ("pc", {}),
}
GRIDS = ("uniform", "log_snr", "karras")


def mixture(path: GaussianPath) -> GaussianMixtureDenoiser:
    """Four shapes of overall variance 1: a level, a slope, a wave and a burst, with noise of their own."""
    t = torch.linspace(-1.0, 1.0, LENGTH, dtype=torch.float64)
    shapes = torch.stack((torch.ones_like(t), -t, torch.sin(3.0 * math.pi * t), torch.exp(-8.0 * t**2)))
    means = (
        torch.stack((shapes, shapes.roll(1, 0)), dim=1) * torch.tensor([1.2, 1.2, 1.2, 2.0])[:, None, None]
    )
    lag = (torch.arange(LENGTH)[:, None] - torch.arange(LENGTH)).abs().double()
    between = torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    covariances = [
        0.25 * scale**2 * torch.kron(between, rho**lag)
        for rho, scale in ((0.9, 1.0), (0.5, 0.6), (0.8, 0.8), (0.0, 0.4))
    ]
    weights = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    return GaussianMixtureDenoiser(path, weights, means.float(), torch.stack(covariances).float())


def mean_distance(x: Tensor, y: Tensor, same: bool = False) -> float:
    """The mean of |x_i − y_j|, over i ≠ j if both are the same set."""
    total = sum(float(torch.cdist(part, y).double().sum()) for part in x.split(1024))
    return total / (len(x) * (len(y) - same))


class Distance:
    """Energy distance to a set of exact draws."""

    def __init__(self, exact: Tensor) -> None:
        self.exact = exact.flatten(1)
        self.within = mean_distance(self.exact, self.exact, same=True)

    def __call__(self, x: Tensor) -> float:
        x = x.flatten(1)
        return 2.0 * mean_distance(x, self.exact) - mean_distance(x, x, same=True) - self.within


def with_calls(kind: str, params: dict[str, Any], calls: int, grid: str) -> BaseSampler | None:
    """The sampler with the most steps that cost at most so many calls; None if even few cost more."""
    best = None
    low, high = 1, calls
    while low <= high:
        middle = (low + high) // 2
        sampler = Registry.get("sampler", kind, **{**params, "num_steps": middle, "grid": grid})
        if sampler.calls <= calls:
            best, low = sampler, middle + 1
        else:
            high = middle - 1
    return best if best is not None and best.num_steps > 1 else None


def variants(kind: str, params: dict[str, Any], grid: str) -> list[BaseSampler]:
    """A sampler at rising numbers of calls; of adaptive steps, at falling tolerances."""
    if kind == "adaptive":
        return [
            Registry.get("sampler", kind, **params, grid=grid, rtol=tolerance, atol=tolerance)
            for tolerance in (0.5, 0.2, 0.1, 0.05, 0.02, 0.005, 0.0005)
        ]
    found = [with_calls(kind, params, calls, grid) for calls in CALLS]
    return [sampler for sampler in found if sampler is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--sde", default="rectified")
    arguments = parser.parse_args()
    path = GaussianPath(sde=Registry.get("sde", arguments.sde), noise=Registry.get("noise", "standard"))
    denoiser, n = mixture(path), arguments.samples
    distance = Distance(denoiser.sample(n, seed=1))
    noise = SampleNoise(0, torch.arange(n), CHANNELS, LENGTH)
    start = distance(path.prior(noise(0)))
    floors = [distance(denoiser.sample(n, seed=2 + k)) / start for k in range(FLOORS)]
    print(f"energy distance of the start: {start:.4f}; exact draws:", *(f"{f:.1e}" for f in floors))

    rows: list[dict[str, Any]] = []
    for name, (kind, params) in SAMPLERS.items():
        for grid in GRIDS:
            for sampler in variants(kind, params, grid):
                counted, began = CountedDenoiser(denoiser), time.perf_counter()
                error = distance(sampler.sample(counted, noise)) / start
                rows.append({"sampler": name, "grid": grid, "calls": counted.members / n, "error": error})
                print(f"{name:14} {grid:8} {counted.members / n:7.1f} calls  {error:9.2e}  "
                      f"{time.perf_counter() - began:.1f} s", flush=True)  # fmt: skip
    report(rows, floors, start, arguments.sde, n)


def report(rows: list[dict[str, Any]], floors: list[float], start: float, sde: str, n: int) -> None:
    """Table, verdict, file and picture."""
    summary = []
    for name in SAMPLERS:
        own = [row for row in rows if row["sampler"] == name]
        cells: dict[str, Any] = {"sampler": name}
        for calls in CALLS:
            near = [row for row in own if 0.6 * calls < row["calls"] <= calls]
            best = min(near, key=lambda row: abs(row["error"]), default=None)
            cells[f"{calls} calls"] = float("nan") if best is None else best["error"]
            cells["grid" if calls == FEW else f"grid {calls}"] = "" if best is None else best["grid"]
        summary.append({k: v for k, v in cells.items() if not k.startswith("grid ")})
    table(summary)
    fixed = [row for row in rows if row["sampler"] != "adaptive"]
    few = [row for row in fixed if 0.6 * FEW < row["calls"] <= FEW]
    best = min(few, key=lambda row: row["error"])
    own = [row for row in fixed if all(row[k] == best[k] for k in ("sampler", "grid"))]
    many = max(own, key=lambda row: row["calls"])
    gap = best["error"] - many["error"]
    what = (
        f"{best['sampler']}, grid {best['grid']}: energy distance at {best['calls']:g} calls minus that at "
        f"{many['calls']:g}, of the start's"
    )
    figures = [verdict(what, gap, 0.01)]
    spread = {"mean": sum(floors) / len(floors), "largest": max(map(abs, floors))}
    name = "samplers" if sde == "rectified" else f"samplers_{sde}"
    write(name, {"sde": sde, "samples": n, "start": start, "floor": spread, "rows": rows, "figures": figures})
    if sde == "rectified":
        draw(rows, spread["largest"], n)


def draw(rows: list[dict[str, Any]], floor: float, n: int) -> None:
    """The picture of the documentation: of each sampler the grid that is best at ten calls."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.0, 5.0), layout="constrained")
    for number, name in enumerate(SAMPLERS):
        own = [row for row in rows if row["sampler"] == name]
        at_few = [row for row in own if 0.6 * FEW < row["calls"] <= FEW]
        grid = min(at_few, key=lambda row: row["error"])["grid"] if at_few else own[0]["grid"]
        line = [row for row in own if row["grid"] == grid]
        axes.plot(
            [row["calls"] for row in line],
            [max(row["error"], floor / 3) for row in line],
            marker="osv^D"[number % 5], markersize=4, linewidth=1.2, color=plt.get_cmap("tab20")(number),
            label=f"{name} ({grid})",
        )  # fmt: skip
    axes.axhline(0.01, color="black", linewidth=0.8, linestyle=":", label="1 % of the start")
    axes.axhspan(floor / 3, floor, color="0.9", label=f"other exact draws, N = {n:,}")
    axes.set(
        xscale="log", yscale="log", xlabel="network calls a sample",
        ylabel="energy distance to exact draws / that of the prior",
        title="Samplers on the exact denoiser of a mixture (path rectified)",
    )  # fmt: skip
    axes.set_ylim(bottom=floor / 3)
    axes.legend(fontsize=7, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=90)


if __name__ == "__main__":
    main()
