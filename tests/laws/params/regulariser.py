"""Parameters with which the laws of kind regulariser are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "moments": [
        {},
        {"weight": 2.0, "min_snr": 0.1},
    ],
    "increments": [
        {},
        {"lags": [1, 5, 20]},
    ],
    "spectrum": [
        {},
        {"transform": "rfft", "min_snr": 4.0},
        {"scale": "log"},
        {"transform": "rfft", "scale": "log", "floor": 0.1},
    ],
}
