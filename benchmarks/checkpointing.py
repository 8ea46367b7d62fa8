"""Memory of a training step with gradient checkpointing over that without, for each architecture.

The peak counts every tensor that is alive at once, forward and backward, exactly: each operation's
outputs are added when they appear and subtracted when they go. Parameters and gradients are alike in
both and left out of the peak by starting after them. What a kernel uses inside itself is not seen.

    python benchmarks/checkpointing.py [--batch 128] [--length 64]
"""

from __future__ import annotations

import argparse
import weakref
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from common import table, verdict, write
from undula import Layout, Registry

CNN: dict[str, Any] = {"type": "cnn", "params": {"num_layers": 4, "dilation_cycle": 4}}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "transformer": ("transformer", {}),
    "unet": ("unet", {"channels": [32, 64, 128]}),
    "mlp": ("mlp", {}),
    "cnn": ("cnn", {}),
    "gru": ("gru", {}),
    "lstm": ("lstm", {}),
    "hybrid": ("hybrid", {}),
    "ensemble of two cnn": ("ensemble", {"models": [CNN, CNN]}),
}
MARK = 0.8


class PeakMemory(TorchDispatchMode):
    """The most bytes of tensors that operations made and that were alive at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, function: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self._add(leaf.untyped_storage())
        return out

    def watch(self, tensors: Any) -> None:
        """Tensors that were there before do not count."""
        self.known |= {t.untyped_storage()._cdata for t in tensors}

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return
        self.known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--length", type=int, default=64)
    arguments = parser.parse_args()
    rows, figures = [], []
    for title, (name, params) in NETWORKS.items():
        torch.manual_seed(0)
        network = Registry.get("architecture", name, **params)
        network.build(Layout(channels=1, length=arguments.length))
        peaks = []
        for again in (False, True):
            network.gradient_checkpointing = again
            peaks.append(peak_of_a_step(network, arguments.batch, arguments.length))
        rows.append(
            {
                "network": title,
                "MB": peaks[0] / 1e6,
                "MB, checkpointing": peaks[1] / 1e6,
                "ratio": peaks[1] / peaks[0],
            }
        )
    table(rows)
    for row in rows:
        figures.append(verdict(f"peak with checkpointing over without, {row['network']}", row["ratio"], MARK))
    write(
        "checkpointing",
        {"batch": arguments.batch, "length": arguments.length, "rows": rows, "figures": figures},
    )


def peak_of_a_step(network: nn.Module, batch: int, length: int) -> int:
    x, tau = torch.randn(batch, 1, length), torch.rand(batch)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    with PeakMemory() as memory:
        memory.watch([x, tau, *network.buffers()])
        memory.watch(t for p in network.parameters() for t in (p, p.grad))
        network(x, tau).square().mean().backward()
    return memory.peak


if __name__ == "__main__":
    main()
