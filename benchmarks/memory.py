"""Memory of training on a file larger than one would load: 2 GB of windows in an NPY file.

The file is made here, trained on for some steps in a process of its own, and removed. The figure is
the process's largest anonymous memory (RssAnon: what cannot be dropped, as mapped file pages can)
above that of an interpreter that has imported torch.

    python benchmarks/memory.py [--gigabytes 2] [--steps 300]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from common import verdict, write

LENGTH, CHANNELS, MARK_MB = 128, 4, 700.0
TRAIN = """
from undula import DiffusionModel
size = {{"model_dim": 32, "num_heads": 2, "num_layers": 2, "patch_size": 8}}
model = DiffusionModel(
    architecture={{"type": "transformer", "params": size}},
    objective="flow_matching", data={{"path": {path!r}}},
    training={{"batch_size": 128, "max_steps": {steps}, "threads": 2, "sample_every": None}},
).fit()
print(model.sample(64).shape)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.npy"
        make_file(path, arguments.gigabytes)
        size = path.stat().st_size / 1e9
        print(f"{size:.2f} GB in {path}")
        base = largest_anonymous("import torch, time; time.sleep(2)")
        used = largest_anonymous(TRAIN.format(path=str(path), steps=arguments.steps))
    print(f"interpreter with torch: {base:.0f} MB, training: {used:.0f} MB")
    figure = verdict("MB of anonymous memory above the interpreter with torch", used - base, MARK_MB)
    write("memory", {"gigabytes": size, "base_mb": base, "training_mb": used, "figures": [figure]})


def make_file(path: Path, gigabytes: float) -> None:
    """Random walks, written in pieces."""
    count = int(gigabytes * 1e9 / (LENGTH * CHANNELS * 4))
    file = np.lib.format.open_memmap(path, "w+", np.float32, (count, LENGTH, CHANNELS))
    rng = np.random.default_rng(0)
    piece = rng.normal(size=(10_000, LENGTH, CHANNELS)).cumsum(1).astype(np.float32)
    for start in range(0, count, len(piece)):
        file[start : start + len(piece)] = piece[: count - start] + rng.normal(size=(1, 1, CHANNELS))
    file.flush()


def largest_anonymous(code: str) -> float:
    """The largest RssAnon of a process that runs `code`, in MB."""
    child = subprocess.Popen([sys.executable, "-c", code])
    most = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.is_set():
            try:
                status = Path(f"/proc/{child.pid}/status").read_text()
            except OSError:
                return
            found = [line for line in status.splitlines() if line.startswith("RssAnon")]
            if found:
                most = max(most, int(found[0].split()[1]) / 1000)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code_returned = child.wait()
    done.set()
    watcher.join()
    if code_returned:
        raise SystemExit(f"the measured process failed with {code_returned}")
    return most


if __name__ == "__main__":
    main()
