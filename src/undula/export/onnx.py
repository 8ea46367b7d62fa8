r"""Writing a model as one ONNX file, checked in onnxruntime before it is kept.

The graph (see `graph`) takes any batch, and any length where the network, the preprocessing and the
noise do. Its metadata, JSON under the key `undula`, hold what a program without undula needs: inputs,
outputs, columns, and the grid of noise levels of the sampler.

References:
    ONNX intermediate representation, https://github.com/onnx/onnx/blob/main/docs/IR.md
"""

from __future__ import annotations

__all__ = ["OPSET", "TOLERANCE", "Exported", "export_onnx"]

import contextlib
import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import __version__
from ..core.component import Component
from ..core.errors import ConfigError, IncompatibleError
from ..core.files import atomic_path
from ..core.preprocessing import BasePreprocessor
from ..core.registry import Registry
from ..core.sde import NoiseLevel
from ..data.collation import Collator
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.sampler import BaseSampler
from .check import disagreement, example_inputs
from .graph import DenoiserGraph
from .translations import translations

OPSET = 20
TOLERANCE = 1e-4
FORMAT_VERSION = 1
_LENGTH_WHERE_IT_VARIES = 24
_LONGEST_REASON = 300
_LARGEST = 2**31 - 2**20  # bytes of a protobuf message, less some room


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        path: of the file.
        any_length: whether the graph takes windows of every length.
        reason: why it does not; empty if it does.
        shapes: batch and length of each check.
        error: the largest difference from torch, relative to 1 or to the largest value.
        size: of the file, in bytes.
    """

    path: Path
    any_length: bool
    reason: str
    shapes: list[tuple[int, int]]
    error: float
    size: int


def export_onnx(
    path: str | Path,
    denoiser: NetDenoiser,
    preprocessing: BasePreprocessor,
    collator: Collator,
    sampler: BaseSampler,
) -> Exported:
    """Write a trained denoiser with its preprocessing as one ONNX file.

    Args:
        path: of the file, *.onnx.
        denoiser: the network with its preconditioning, in evaluation mode on the CPU.
        preprocessing: fitted.
        collator: what the condition parts are, and their scales.
        sampler: whose grid of noise levels goes into the metadata.

    Raises:
        ConfigError: if the extra `export` is not installed, or the file's name is another format's.
        IncompatibleError: if a component cannot be written as ONNX, or does not agree; with the reason.
    """
    path = Path(path)
    _require(path)
    if preprocessing.random:
        raise IncompatibleError(
            f"this model is not exported: preprocessing {Registry.name(preprocessing)!r} draws its answers "
            "at random, which one file of operations does not: export a model of the series themselves, such "
            "as one with preprocessing raw"
        )
    levels = [level for level in sampler.levels(denoiser.path) if level.sigma > 0]
    length = collator.length or _LENGTH_WHERE_IT_VARIES
    graph = DenoiserGraph(denoiser, preprocessing, collator, length).eval()
    fixed = [part for part in (denoiser.network, preprocessing, denoiser.path.noise) if not part.any_length]
    reason = f"{_who(fixed[0])} makes windows of one length" if fixed else ""
    program, shapes, error = None, [], float("nan")
    for free in (True, False) if not reason else (False,):
        shapes = _shapes(length, free)
        try:
            with _quiet():
                traced = 2 * length + 1 if free else length  # odd: the general case of every padding
                program = _program(graph, example_inputs(graph, levels, 3, traced), free)
                error = _largest_difference(graph, levels, program.SerializeToString(), shapes)
        except Exception as cause:
            problem = f"it cannot be written as ONNX ({_reason(cause)})"
        else:
            if error <= TOLERANCE:
                break
            problem = f"onnxruntime and torch differ by {error:.1e}, more than {TOLERANCE:g}"
        if not free:
            names = ", ".join(_who(part) for part in (denoiser.network, preprocessing, denoiser.path.noise))
            raise IncompatibleError(
                f"this model ({names}) is not exported: {problem}; another architecture or preprocessing may"
            )
        reason = f"with a free length, {problem}"
    assert program is not None
    any_length = not reason
    about = _metadata(graph, sampler, levels, collator, any_length, reason)
    about["checked"] = {"shapes": shapes, "error": error, "tolerance": TOLERANCE}
    _write(path, program, about)
    return Exported(path, any_length, reason, shapes, error, path.stat().st_size)


def _require(path: Path) -> None:
    if path.suffix != ".onnx":
        raise ConfigError(f"{path} does not end in .onnx: models are exported as ONNX, such as model.onnx")
    missing = [m for m in ("onnx", "onnxruntime", "onnxscript") if importlib.util.find_spec(m) is None]
    if missing:
        raise ConfigError(
            f"export needs {', '.join(missing)}, which is not installed: pip install 'undula[export]'"
        )


def _program(graph: DenoiserGraph, inputs: Sequence[Tensor], any_length: bool) -> Any:
    """The graph as an ONNX model."""
    names = [item.name for item in graph.inputs]
    moving = {"B"} | ({"L", "L'"} if any_length else set())
    dimensions = tuple(
        {k: torch.export.Dim.DYNAMIC for k, axis in enumerate(item.shape) if axis in moving}
        for item in graph.inputs
    )
    with torch.no_grad():
        graph(*inputs)  # fills the caches of matrices with real tensors before anything is traced
        made: Any = torch.onnx.export(
            graph,
            tuple(inputs),
            dynamo=True,
            dynamic_shapes=(dimensions,),
            input_names=names,
            output_names=graph.outputs,
            opset_version=OPSET,
            custom_translation_table=translations(),
            verbose=False,
        )
    return made.model_proto


def _shapes(length: int, any_length: bool) -> list[tuple[int, int]]:
    """Batch and length of four checks."""
    if not any_length:
        return [(batch, length) for batch in (1, 2, 5, 16)]
    return [(1, length), (2, max(1, length // 2)), (5, length + 3), (16, 2 * length + 1)]


def _largest_difference(
    graph: DenoiserGraph, levels: Sequence[NoiseLevel], model: bytes, shapes: Sequence[tuple[int, int]]
) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    takes = {item.name for item in session.get_inputs()}
    worst = 0.0
    for seed, (batch, length) in enumerate(shapes):
        inputs = example_inputs(graph, levels, batch, length, seed)
        feed = {i.name: v.numpy() for i, v in zip(graph.inputs, inputs, strict=True) if i.name in takes}
        with torch.no_grad():
            worst = max(worst, disagreement(graph, inputs, session.run(graph.outputs, feed)))
    return worst


def _metadata(
    graph: DenoiserGraph,
    sampler: BaseSampler,
    levels: Sequence[NoiseLevel],
    collator: Collator,
    any_length: bool,
    reason: str,
) -> dict[str, Any]:
    sizes: dict[Any, Any] = {"L": collator.length, "L'": graph.length}
    return {
        "format_version": FORMAT_VERSION,
        "undula_version": __version__,
        "columns": collator.columns,
        "length": collator.length,
        "any_length": any_length,
        "reason": reason,
        "x_t": {"channels": graph.channels, "length": graph.length},
        "inputs": {
            item.name: {
                "dtype": str(item.dtype).removeprefix("torch."),
                "shape": [axis if any_length else sizes.get(axis, axis) for axis in item.shape],
                "meaning": item.meaning,
                **({"columns": list(item.columns)} if item.columns else {}),
            }
            for item in graph.inputs
        },
        "outputs": graph.outputs,
        "sampler": Registry.spec(sampler),
        "prediction": graph.denoiser.parametrization.prediction,
        "level_fields": list(NoiseLevel._fields),
        "levels": [[float(number) for number in level] for level in levels],
    }


def _write(path: Path, program: Any, about: dict[str, Any]) -> None:
    entry = program.metadata_props.add()
    entry.key, entry.value = "undula", json.dumps(about, ensure_ascii=False, allow_nan=False)
    program.producer_name, program.producer_version = "undula", __version__
    program.doc_string = (
        "A diffusion model: the denoiser with its preprocessing. Inputs, outputs and the grid of noise "
        "levels are described in metadata_props['undula']."
    )
    size = program.ByteSize()
    if size > _LARGEST:
        raise IncompatibleError(
            f"the model has {size / 2**30:.1f} GiB, more than one ONNX file holds (2 GiB): use a smaller "
            "network"
        )
    with atomic_path(path) as temporary:
        temporary.write_bytes(program.SerializeToString())


def _who(part: Component) -> str:
    return f"{part.kind} {Registry.name(part)!r}"


def _reason(error: BaseException) -> str:
    """The innermost cause, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks from the terminal; what matters is checked."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
