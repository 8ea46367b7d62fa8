"""`undula sample`: draw samples from a trained model."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, load_plugins, noted_warnings, told_from


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("sample")(sample)


def sample(
    run: Annotated[str, typer.Argument(help="A run or model folder, or a name for its newest run.")],
    n: Annotated[int, typer.Option("-n", "--num-samples", help="How many samples.")] = 100,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help=".csv, .parquet, .npz or .npy; - is CSV on stdout; without it, a file in the run folder.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Sample i depends on the seed and i alone.")] = 0,
    sampler: Annotated[str | None, typer.Option(help="Instead of the model's own.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler.")] = None,
    guidance_scale: Annotated[
        float | None,
        typer.Option(help="Classifier-free guidance: 0 ignores what is given, 1 is the model as trained."),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            help="What a conditional model is told: a file, or NAME=VALUE of a column of roles.at_start; "
            "repeatable."
        ),
    ] = None,
    unconditional: Annotated[
        bool, typer.Option("--unconditional", help="Use the learned nulls instead of --given.")
    ] = False,
    length: Annotated[int | None, typer.Option(help="Steps of a sample.")] = None,
    weights: Annotated[
        Literal["last", "best"], typer.Option(help="Those at the end, or of the lowest validation loss.")
    ] = "last",
    batch_size: Annotated[
        int, typer.Option(help="Samples drawn at once; changes samples by rounding at most.")
    ] = 256,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    pictures: Annotated[
        int | None,
        typer.Option(
            min=0, help="Pictures of real and generated windows; without it, 4 of a latent model's run."
        ),
    ] = None,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Draw samples from a trained model, in the units of its data.

    Of a latent model's run also statistics of latents and samples, how far the latents' prior is from what
    they are, and pictures beside real windows.
    """
    from ..data.samples import check_sample_path, sample_table, write_samples
    from ..experiments.folder import find_model
    from ..experiments.sampled import beside_the_data
    from ..model import DiffusionModel
    from ..training.progress import make_progress

    load_plugins(plugin)
    folder = find_model(run)
    if given and unconditional:
        raise ConfigError("--given and --unconditional exclude each other: leave one of them out")
    options = {
        "sampler": sampler,
        "steps": steps,
        "scale": guidance_scale,
        "length": length,
        "given": "_".join(Path(g).stem if "=" not in g else g for g in given or []) or None,
    }
    told = [f"{name}-{value}" for name, value in options.items() if value is not None]
    told += [word for word, used in (("best", weights == "best"), ("unconditional", unconditional)) if used]
    name = "_".join([f"samples_n{n}_seed{seed}", *told])
    target = None if output == "-" else Path(output or folder / f"{name}.parquet")
    if target is not None:
        check_sample_path(target)
    what_is_given = told_from(given or [])
    model = DiffusionModel.load(folder, device=device, weights=weights)
    latents: list[Any] = []
    with noted_warnings(quiet or as_json), make_progress("sampling", quiet or as_json) as progress:
        samples = list(
            model.sample(
                n,
                seed,
                given=what_is_given,
                unconditional=unconditional,
                length=length,
                sampler=sampler,
                num_steps=steps,
                guidance_scale=guidance_scale,
                batch_size=batch_size,
                on_progress=lambda share: progress.update(share, ""),
                on_diffused=latents.append,
            )
        )
    if target is None:
        sample_table(samples, model.columns_).to_csv(sys.stdout, index=False)
        return
    write_samples(target, samples, model.columns_)
    made, said, why_not = beside_the_data(model, folder, target, samples, latents, pictures, seed)
    if as_json:
        found: dict[str, object] = {"file": str(target), "n": n, "seed": seed, "columns": model.columns_}
        found["calls_per_sample"] = round(model.calls_, 2)
        found["lengths"] = sorted({len(s) for s in samples})
        if made or said is not None:
            found["pictures"] = [str(path) for path in made]
        typer.echo(json.dumps({**found, **({} if said is None else said.as_json())}))
        return
    for path in (target, *made):
        typer.echo(path)
    if not quiet:
        for line in [why_not] * bool(why_not) if said is None else said.lines():
            typer.echo(line, err=True)
        typer.echo(f"{model.calls_:g} network calls a sample", err=True)
