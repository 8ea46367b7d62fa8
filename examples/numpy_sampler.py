"""Generate from an exported model with nothing but numpy and onnxruntime: no torch, no undula.

python examples/numpy_sampler.py model.onnx -n 100 -o samples.npy
"""

import argparse
import itertools
import json

import numpy as np
import onnxruntime


def load(path):
    """The model, and what it says of itself: inputs, outputs, columns, the grid of noise levels."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session, json.loads(session.get_modelmeta().custom_metadata_map["undula"])


def generate(session, about, white, given=None, unconditional=False):
    """Samples (n, length, columns) in the data's units, by Heun's method on the straightened path.

    white: standard normal numbers (n, channels, length of what is diffused).
    given: for a conditional model, arrays by the inputs' names, in the data's units.
    unconditional: use what the model has learned for conditions that are not known.
    """
    takes = {item.name for item in session.get_inputs()}
    n, given = len(white), dict(given or {})
    for name, item in about["inputs"].items():
        if name.startswith("dropped_"):
            given[name] = np.full(n, unconditional)
        elif "columns" in item and name not in given:
            if not unconditional:
                raise SystemExit(f"the model is told {name}, {item['shape']}: {item['meaning']}")
            steps = [white.shape[-1] if size == "L" else size for size in item["shape"][1:]]
            given[name] = np.zeros((n, *steps))

    def run(outputs, x, level):
        numbers = {name: np.full(n, level[name]) for name in about["level_fields"]}
        feed = {"x_t": x.astype(np.float32), **numbers, **given}
        return session.run(outputs, {name: array for name, array in feed.items() if name in takes})

    levels = [dict(zip(about["level_fields"], row, strict=True)) for row in about["levels"]]
    if "noise" in about["outputs"]:  # coloured: the same numbers times Σ^½
        (white,) = run(["noise"], white, levels[0])
    x = levels[0]["sigma"] * white
    for start, end in itertools.pairwise(levels):
        (scale, tau), (scale_end, tau_end) = straightened(start), straightened(end)
        slope = (x / scale - run(["denoised"], x, start)[0]) / tau
        guess = x / scale + (tau_end - tau) * slope
        slope_end = (guess - run(["denoised"], guess * scale_end, end)[0]) / tau_end
        x = scale_end * (x / scale + 0.5 * (tau_end - tau) * (slope + slope_end))
    return run(["series"], x, levels[-1])[0]  # the last step ends on D itself


def straightened(level):
    """With x/(α + σ) and τ = σ/(α + σ) every path is dx/dτ = (x − D)/τ."""
    scale = level["alpha"] + level["sigma"]
    return scale, level["sigma"] / scale


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("-n", type=int, default=100, help="samples")
    parser.add_argument("-o", default="samples.npy", help="file of the samples, (n, length, columns)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--given", help=".npz with what a conditional model is told, n rows an array")
    parser.add_argument("--unconditional", action="store_true", help="instead of --given")
    options = parser.parse_args()
    session, about = load(options.model)
    shape = (options.n, about["x_t"]["channels"], about["x_t"]["length"])
    white = np.random.default_rng(options.seed).standard_normal(shape)
    given = dict(np.load(options.given)) if options.given else None
    samples = generate(session, about, white, given, options.unconditional)
    np.save(options.o, samples)
    print(f"{options.o}: {samples.shape}, columns {about['columns']}")
