"""A training step of the U-Net: how near the machine's convolutions it comes, and against another's.

B = 8, one channel, L = 1024; forward, backward and fused AdamW. The peak is what `Conv1d` alone
achieves, forward and backward, at the network's own widths and lengths in their shares of its work.
The other network is denoising-diffusion-pytorch's Unet1D of width 64, where it is installed:

    pip install --no-deps denoising-diffusion-pytorch einops

    python benchmarks/train_step.py [--rounds 15] [--threads 2]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import statistics
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from common import alternate, ratio, table, verdict, write
from undula import Layout, Registry

BATCH, LENGTH = 8, 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)

    network = Registry.get("architecture", "unet")
    network.build(Layout(channels=1, length=LENGTH))
    work = flops(network)
    convolutions, peak_work = peak_calls(network.channels)
    calls: dict[str, Callable[[], Any]] = {"unet": step(network), "conv1d": convolutions}
    other = unet_1d()
    if other is not None:
        calls["Unet1D"] = step(other)
    seconds = alternate(calls, arguments.rounds)

    achieved = statistics.median(
        (3 * work / a) / (peak_work / b) for a, b in zip(seconds["unet"], seconds["conv1d"], strict=True)
    )
    rows = [row("undula unet", network, work, seconds["unet"])]
    if other is not None:
        rows.append(row("Unet1D dim 64", other, flops(other), seconds["Unet1D"]))
    median = statistics.median(seconds["conv1d"])
    rows.append({"what": "conv1d alone", "parameters": 0.0, "GFLOP": peak_work / 3e9, "seconds": median,
                 "GFLOP/s": peak_work / median / 1e9})  # fmt: skip
    table(rows)
    figures = [verdict("GFLOP/s over the conv1d peak", achieved, 0.75, better="higher")]
    print(f"GFLOP/s over the conv1d peak of the same run: {achieved:.3f} (mark: at least 0.75)")
    if other is not None:
        figures.append(verdict("step time over Unet1D's", ratio(seconds, "unet", "Unet1D"), 0.60))
    else:
        print("denoising-diffusion-pytorch is not installed: its row is left out")
    write("train_step", {"rows": rows, "share_of_peak": achieved, "figures": figures})


def step(network: nn.Module) -> Callable[[], None]:
    x, tau = torch.randn(BATCH, 1, LENGTH), torch.rand(BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)

    def call() -> None:
        optimizer.zero_grad()
        network(x, tau).square().mean().backward()
        optimizer.step()

    return call


def flops(network: nn.Module) -> int:
    """Of the forward pass; a training step is three times as much."""
    with FlopCounterMode(display=False) as counter:
        network(torch.randn(BATCH, 1, LENGTH), torch.rand(BATCH))
    return counter.get_total_flops()


def peak_calls(widths: list[int]) -> tuple[Callable[[], None], int]:
    """Two forward and backward convolutions of width 3 at every level, and their floating-point work."""
    layers = []
    work = 0
    for k, width in enumerate(widths):
        length = LENGTH >> k
        layer = nn.Conv1d(width, width, 3, padding=1)
        x = torch.randn(BATCH, width, length, requires_grad=True)
        layers += [(layer, x)] * 2
        work += 2 * 3 * 2 * BATCH * length * width * width * 3

    def call() -> None:
        for layer, x in layers:
            out: Tensor = layer(x)
            out.backward(out.detach())

    return call, work


def row(what: str, network: nn.Module, work: int, seconds: list[float]) -> dict[str, Any]:
    parameters = sum(p.numel() for p in network.parameters()) / 1e6
    median = statistics.median(seconds)
    return {"what": what, "parameters": parameters, "GFLOP": work / 1e9, "seconds": median,
            "GFLOP/s": 3 * work / median / 1e9}  # fmt: skip


def unet_1d() -> nn.Module | None:
    """The other network, without the rest of its package, which needs torchvision."""
    name = "denoising_diffusion_pytorch"
    folder = next((Path(p) / name for p in sys.path if (Path(p) / name).is_dir()), None)
    if folder is None:
        return None
    stand_ins = ("accelerate", "ema_pytorch", "tqdm", "tqdm.auto", f"{name}.version")
    absent = [n for n in stand_ins if n.startswith(name) or importlib.util.find_spec(n.split(".")[0]) is None]
    added = [n for n in absent if n not in sys.modules]
    for missing in added:
        module = types.ModuleType(missing)
        for attribute in ("Accelerator", "EMA", "tqdm", "__version__"):
            setattr(module, attribute, None)
        sys.modules[missing] = module
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    try:
        module = importlib.import_module(f"{name}.{name}_1d")
        return module.Unet1D(dim=64, channels=1)
    except ImportError as error:
        print(f"Unet1D cannot be imported: {error}")
        return None
    finally:
        for missing in added:
            sys.modules.pop(missing, None)


if __name__ == "__main__":
    main()
