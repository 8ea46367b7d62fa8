"""What a sampler costs besides the network: microseconds a network call with a null network.

8 series of one channel and 1024 steps, 100 network calls (99 or 101 where a rule needs it), from the
prior to the data, everything included: grid, coefficients, preconditioning, steps. Of the stochastic
samplers, and of every sampler's prior, the time of drawing the same noise alone is taken off. The
floor is the arithmetic alone: the same vector operations in a bare loop.

    python benchmarks/sampler_overhead.py [--rounds 60] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch

from common import alternate, table, verdict, write
from undula import BaseArchitecture, GaussianPath, Layout, NetDenoiser, Parametrization, Registry
from undula.core.condition import Condition
from undula.diffusion.sampler import SampleNoise

BATCH, LENGTH, MARK = 8, 1024, 25.0
SAMPLERS = {
    "euler": ("euler", {"num_steps": 100}),
    "heun": ("heun", {"num_steps": 50}),
    "ddim": ("ddim", {"num_steps": 100}),
    "dpm": ("dpm", {"num_steps": 100}),
    "dpm 3M": ("dpm", {"num_steps": 100, "order": 3}),
    "dpm 3S": ("dpm", {"num_steps": 34, "order": 3, "method": "singlestep"}),
    "unipc": ("unipc", {"num_steps": 100}),
    "adaptive": ("adaptive", {"num_steps": 60, "rtol": 1e-9, "atol": 1e-9}),
    "euler eta=1": ("euler", {"num_steps": 100, "eta": 1.0}),
    "ddim eta=1": ("ddim", {"num_steps": 100, "eta": 1.0}),
    "dpm eta=1": ("dpm", {"num_steps": 100, "eta": 1.0}),
    "ddpm": ("ddpm", {"num_steps": 100}),
    "heun churn": ("heun", {"num_steps": 50, "churn": 10.0}),
    "pc": ("pc", {"num_steps": 50}),
}


class Null(BaseArchitecture):
    """F = its input: the network costs nothing."""

    condition_dropout = 0.0

    def build(self, layout: Layout) -> None:
        pass

    def forward(self, x: torch.Tensor, tau: torch.Tensor, condition: Condition | None = None) -> torch.Tensor:
        return x


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    path = GaussianPath(sde=Registry.get("sde", "vpsde"), noise=Registry.get("noise", "standard"))
    denoiser = NetDenoiser(Null(), path, Parametrization(prediction="v"))
    noise = SampleNoise(0, torch.arange(BATCH), 1, LENGTH)
    samplers = {name: Registry.get("sampler", kind, **params) for name, (kind, params) in SAMPLERS.items()}

    def sample(name: str) -> Callable[[], object]:
        return lambda: samplers[name].sample(denoiser, noise)

    quiet = {name: sample(name) for name, sampler in samplers.items() if not sampler.stochastic}
    seconds = alternate({**quiet, "floor": arithmetic}, 5 * arguments.rounds, warmup=5)
    loud = {name: sample(name) for name, sampler in samplers.items() if sampler.stochastic}
    draws_alone = alternate({**loud, "noise": lambda: [noise(k) for k in range(100)]}, arguments.rounds)
    seconds |= draws_alone
    one_draw = statistics.median(draws_alone["noise"]) / 100

    rows, figures = [], []
    for name, sampler in samplers.items():
        noise_seconds = seconds["noise"] if sampler.stochastic else [one_draw] * len(seconds[name])
        overhead = [1e6 * (a - b) / sampler.calls for a, b in zip(seconds[name], noise_seconds, strict=True)]
        rows.append(
            {"sampler": name, "calls": sampler.calls, "median µs a call": statistics.median(overhead),
             "least": min(overhead), "with noise": 1e6 * statistics.median(seconds[name]) / sampler.calls}
        )  # fmt: skip
    floor = [1e6 * s / 100 for s in seconds["floor"]]
    rows.append({"sampler": "arithmetic alone", "calls": 100, "median µs a call": statistics.median(floor),
                 "least": min(floor), "with noise": float("nan")})  # fmt: skip
    table(rows)
    for row in rows[:-1]:
        figures.append(verdict(f"{row['sampler']}: µs a call", row["median µs a call"], MARK))
    write("sampler_overhead", {"rows": rows[:-1], "floor_us": statistics.median(floor), "figures": figures})


def arithmetic() -> torch.Tensor:
    """The vector operations of a one-call sampler with a preconditioned network, and nothing else."""
    x = torch.randn(BATCH, 1, LENGTH)
    with torch.no_grad():
        for _ in range(100):
            output = x * 0.9
            x.new_full((BATCH,), 0.5)
            d = torch.add(x * 0.3, output, alpha=0.1)
            x = (x * 0.9).add_(d, alpha=0.1)
    return x


if __name__ == "__main__":
    main()
