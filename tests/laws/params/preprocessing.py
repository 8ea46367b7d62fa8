"""Parameters with which the laws of kind preprocessing are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "raw": [
        {"method": "standardise"},
        {"method": "minmax"},
        {"method": "robust"},
        {"method": "quantile"},
    ],
    "difference": [
        {},
        {"lag": 5},
    ],
    "wavelet": [
        {},
        {"wavelet": "haar", "level": 2},
        {"wavelet": "sym3", "level": 1},
        {"wavelet": "db2", "level": 2, "boundary": "periodic"},
    ],
    "multi_scale": [
        {},
        {"scales": [1, 3, 5]},
        {"scales": [4]},
    ],
    "decorrelate": [
        {},
        {"strength": 0.5, "over": "time"},
        {"over": "features", "floor": 0.1},
        {"strength": 0.0},
    ],
}
