"""Which tests notice a wrong coefficient? Each mutation below must make at least one test fail.

The package and its tests are copied, one line is changed, and the tests of the mathematics run until
the first failure, those beside the changed file first. The mutations are in tests/mutated/, a file a topic.
A mutation that survives is printed and makes the exit status 1.

    python tests/mutations.py [--only WORD] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TESTS = (
    "tests/laws",
    "tests/diffusion",
    "tests/golden",
    "tests/components",
    "tests/nn",
    "tests/export",
    "tests/latent",
    "tests/evaluation",
    "tests/domains",
    "tests/data/test_transforms.py",
    "tests/data/test_align.py",
    "tests/evaluation/test_intervals.py",
    "tests/evaluation/test_field.py",
    "tests/data/test_at_start.py",
    "tests/data/test_overlap.py",
    "tests/experiments/test_assessment.py",
    "tests/baselines",
    "tests/cli/test_evaluate.py",
    "tests/data/test_holes.py",
    "tests/data/test_observation.py",
    "tests/data/test_future.py",
    "tests/model/test_imputing.py",
    "tests/model/test_forecasting.py",
    "tests/model/test_calibration.py",
)


class Mutation(NamedTuple):
    """One changed line."""

    what: str
    file: str
    old: str
    new: str


MUTATIONS = tuple(
    Mutation(*line)
    for file in sorted((ROOT / "tests" / "mutated").glob("*.py"))
    for line in runpy.run_path(str(file))["MUTATIONS"]
)
NOTHING = Mutation("nothing", "diffusion/parametrization.py", "class Coefficients", "class Coefficients")


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
        for part in ("src", "tests", "examples", "pyproject.toml"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        path = copy / "src" / "undula" / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            raise SystemExit(f"{mutation.what}: {mutation.old!r} is not in {mutation.file} exactly once")
        beside = f"tests/{mutation.file.split('/')[0]}"
        tests = sorted(TESTS, key=lambda path: not path.startswith(beside))
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests],
            cwd=copy, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(copy / "src"), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    first = failed[0].split(" - ")[0].split(maxsplit=1)[1] if failed else ""
    print(f"{mutation.what:40} {first or ('passes' if mutation is NOTHING else 'SURVIVED')}", flush=True)
    return first


if __name__ == "__main__":
    sys.exit(main())
