"""A training step of each architecture beside the transformer's, and ensembles as one batch and in turn.

Networks of default sizes, their depth changed to the number of parameters nearest to the
transformer's (the U-Net's and the MLP's widths are their own), one channel; forward, backward, AdamW.
`per parameter` is the step's time over the transformer's, each divided by its number of parameters.

    python benchmarks/architectures.py [--batch 64] [--length 64] [--rounds 7] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from common import alternate, ratio, table, verdict, write
from undula import Layout, Registry

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "transformer": ("transformer", {}),
    "cnn": ("cnn", {}),
    "gru": ("gru", {}),
    "lstm": ("lstm", {"num_layers": 3}),
    "gru, causal": ("gru", {"num_layers": 8, "bidirectional": False}),
    "hybrid": ("hybrid", {}),
    "unet": ("unet", {"channels": [32, 64, 128], "embedding_dim": 128, "blocks": 3}),
    "mlp": ("mlp", {"num_layers": 1}),
    "ensemble": ("ensemble", {"models": ["transformer", "cnn", "rnn"]}),
}
SHARES = {"cnn": 1.0, "gru": 1.6, "lstm": 1.6, "gru, causal": 1.6, "hybrid": 1.3}
"""Most time a step per parameter, in units of the transformer's; the docs state them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    size = {"batch": arguments.batch, "length": arguments.length}
    rows, figures = steps(**size, rounds=arguments.rounds)
    table(rows)
    print()
    ensembles = [
        together(name, params, members, *shape, rounds=arguments.rounds)
        for name, params in (("cnn", {"num_layers": 4}), ("transformer", {"num_layers": 2}), ("mlp", {}))
        for members in (2, 4)
        for shape in ((64, 64), (8, 16))
    ]
    table(ensembles)
    write("architectures", {**size, "rows": rows, "ensembles": ensembles, "figures": figures})


def steps(batch: int, length: int, rounds: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    networks = {title: built(name, params, length) for title, (name, params) in NETWORKS.items()}
    seconds = alternate({t: step(n, batch, length) for t, n in networks.items()}, rounds)
    sizes = {title: sum(p.numel() for p in network.parameters()) for title, network in networks.items()}
    rows, figures = [], []
    for title in networks:
        times = ratio(seconds, title, "transformer")
        share = times * sizes["transformer"] / sizes[title]
        rows.append(
            {
                "network": title,
                "parameters": sizes[title],
                "ms": 1e3 * statistics.median(seconds[title]),
                "over the transformer": times,
                "per parameter": share,
            }
        )
        if title in SHARES:
            figures.append(verdict(f"step per parameter, {title} over transformer", share, SHARES[title]))
    return rows, figures


def together(
    name: str, params: dict[str, Any], members: int, batch: int, length: int, rounds: int
) -> dict[str, Any]:
    """The step of an ensemble of equal members as one batch over that in turn."""
    model = {"type": name, "params": params}
    network: Any = built("ensemble", {"models": [model] * members}, length)

    def run(as_one: bool) -> Callable[[], None]:
        call = step(network, batch, length)

        def chosen() -> None:
            network.together = as_one
            call()

        return chosen

    seconds = alternate({"in turn": run(False), "as one": run(True)}, rounds)
    return {
        "ensemble": f"{members} {name}",
        "batch": batch,
        "length": length,
        "in turn, ms": 1e3 * statistics.median(seconds["in turn"]),
        "as one over in turn": ratio(seconds, "as one", "in turn"),
    }


def built(name: str, params: dict[str, Any], length: int) -> nn.Module:
    torch.manual_seed(0)
    network = Registry.get("architecture", name, **params)
    network.build(Layout(channels=1, length=length))
    return network


def step(network: nn.Module, batch: int, length: int) -> Callable[[], None]:
    x, tau = torch.randn(batch, 1, length), torch.rand(batch)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)

    def call() -> None:
        optimizer.zero_grad()
        network(x, tau).square().mean().backward()
        optimizer.step()

    return call


if __name__ == "__main__":
    main()
