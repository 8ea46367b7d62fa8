"""Parameters with which the laws of kind guidance are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "cfg": [
        {},
        {"guidance_scale": 0.0},
        {"guidance_scale": 1.0},
        {"guidance_scale": 4.0, "interval": [0.2, 0.6]},
        {"guidance_scale": 3.0, "rescale": 0.7},
        {"guidance_scale": 0.0, "rescale": 1.0, "interval": [0.0, 0.6]},
    ],
}
