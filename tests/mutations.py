"""Which tests notice a wrong coefficient? Each mutation below must make at least one test fail.

The package and its tests are copied, one line is changed, and the tests of the mathematics run until
the first failure. A mutation that survives is printed and makes the exit status 1.

    python tests/mutations.py [--only WORD] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TESTS = ("tests/laws", "tests/diffusion", "tests/golden")


class Mutation(NamedTuple):
    """One changed line."""

    what: str
    file: str
    old: str
    new: str


PARAMETRIZATION = "diffusion/parametrization.py"
MUTATIONS = (
    Mutation("x0: c_out 1 → 0.99", PARAMETRIZATION, "1.0 + 0.0 * alpha, c_in", "0.99 + 0.0 * alpha, c_in"),
    Mutation("eps: the sign of c_out", PARAMETRIZATION, "(1.0 / alpha, -sigma / alpha", "(1.0 / alpha, sigma / alpha"),
    Mutation("eps: c_skip 1/α → 1", PARAMETRIZATION, "(1.0 / alpha, -sigma", "(1.0 + 0 * alpha, -sigma"),
    Mutation("score: the sign of c_out", PARAMETRIZATION, "(1.0 / alpha, sigma / alpha", "(1.0 / alpha, -sigma / alpha"),
    Mutation("v: without α² + σ²", PARAMETRIZATION, "(alpha / norm, -sigma / norm", "(alpha, -sigma"),
    Mutation("velocity: σ' → α' in c_skip", PARAMETRIZATION, "-level.sigma_dot / norm, sigma", "level.alpha_dot / norm, sigma"),
    Mutation("edm: c_skip without s²", PARAMETRIZATION, "(alpha * s**2 / variance", "(alpha / variance"),
    Mutation("edm: c_out without s", PARAMETRIZATION, "sigma * s * c_in", "sigma * c_in"),
    Mutation("c_in: σ² → σ", PARAMETRIZATION, "alpha**2 * s**2 + sigma**2", "alpha**2 * s**2 + sigma"),
    Mutation("target: the sign of ε", PARAMETRIZATION, "-c_skip * level.sigma / c_out", "c_skip * level.sigma / c_out"),
    Mutation("weights: c_out² → c_out on F", "diffusion/weighting.py", "gamma=gamma) * c_out**2", "gamma=gamma) * c_out"),
    Mutation("weights: snr without the square", "diffusion/weighting.py", "return (alpha / sigma) ** 2", "return alpha / sigma"),
    Mutation("weights: edm with α instead of α²", "diffusion/weighting.py", "(alpha**2 * s**2 + sigma**2)", "(alpha * s**2 + sigma**2)"),
    Mutation("weights: likelihood ½ → 1", "diffusion/weighting.py", "0.5 * minus_snr_slope", "1.0 * minus_snr_slope"),
    Mutation("weights: SNR' with σ² for σ³", "diffusion/weighting.py", "/ sigma**3", "/ sigma**2"),
    Mutation("min_snr: max for min", "diffusion/weighting.py", "clamp(max=gamma)", "clamp(min=gamma)"),
    Mutation("g²: 2 → 1", "core/sde.py", "2.0 * sigma * (sigma_dot - sigma", "1.0 * sigma * (sigma_dot - sigma"),
    Mutation("λ: 2 → 1", "core/sde.py", "return 2.0 * (torch.log", "return 1.0 * (torch.log"),
    Mutation("sub-VP: σ → √σ (the VP's)", "components/sde/subvpsde.py", "-torch.expm1(-self.integral(t))", "torch.sqrt(-torch.expm1(-self.integral(t)))"),
    Mutation("score: σ² → σ", "diffusion/path.py", "like(level.sigma, x_t) ** 2\n", "like(level.sigma, x_t)\n"),
    Mutation("prior: without σ(1)", "diffusion/path.py", "return sigma * self.noise.colour", "return self.noise.colour"),
    Mutation("transition: a² → a", "diffusion/path.py", "end.sigma**2 - a**2", "end.sigma**2 - a"),
    Mutation("ddim: γ without the SNRs' ratio", "components/samplers/ddim.py", "math.sqrt(1.0 - start.snr / end.snr)", "1.0"),
    Mutation("ddim: γ with √ left out", "components/samplers/ddim.py", "math.sqrt(1.0 - start.snr / end.snr)", "(1.0 - start.snr / end.snr)"),
    Mutation("euler: (1 + η²) → 1", "components/samplers/euler.py", "from_x += self.eta**2 * rate * dt", "from_x += 0 * rate * dt"),
    Mutation("euler: 2 → 1 in the noise", "components/samplers/euler.py", "math.sqrt(-2.0 * dt * rate)", "math.sqrt(-1.0 * dt * rate)"),
    Mutation("heun: ½ → 0.45", "components/samplers/heun.py", "half = 0.5 *", "half = 0.45 *"),
    Mutation("dpm: ½ → 1 in h/h'", "components/samplers/dpm.py", "weight = 0.5 * h / h_previous", "weight = 1.0 * h / h_previous"),
    Mutation("bound: prior ½ → 1", "diffusion/bound.py", "prior = 0.5 *", "prior = 1.0 *"),
    Mutation("bound: density left out", "diffusion/bound.py", "/ density.pdf(t)", "/ 1.0"),
)  # fmt: skip

NOTHING = Mutation("nothing", PARAMETRIZATION, "class Coefficients", "class Coefficients")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="mutations whose description contains this")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS if arguments.only in m.what]
    if first := killed_by(NOTHING):
        raise SystemExit(f"the unchanged package fails {first}: mend that first")
    with ThreadPoolExecutor(arguments.workers) as pool:
        survivors = [m for m, killer in zip(chosen, pool.map(killed_by, chosen), strict=True) if not killer]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutations were noticed")
    return 1 if survivors else 0


def killed_by(mutation: Mutation) -> str:
    """The first test that fails; empty if none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("src", "tests", "pyproject.toml"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        path = copy / "src" / "undula" / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            raise SystemExit(f"{mutation.what}: {mutation.old!r} is not in {mutation.file} exactly once")
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *TESTS],
            cwd=copy, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(copy / "src"), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    first = failed[0].split(" - ")[0].split(maxsplit=1)[1] if failed else ""
    print(f"{mutation.what:40} {first or ('passes' if mutation is NOTHING else 'SURVIVED')}", flush=True)
    return first


if __name__ == "__main__":
    sys.exit(main())
