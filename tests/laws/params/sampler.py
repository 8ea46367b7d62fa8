"""Parameters with which the laws of kind sampler are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "euler": [
        {},
        {"eta": 1.0, "num_steps": 30},
    ],
    "ddim": [
        {},
        {"eta": 1.0},
        {"grid": "karras"},
    ],
    "heun": [
        {"num_steps": 7},
        {"grid": "log_snr"},
    ],
    "dpm": [
        {},
        {"grid": "karras", "rho": 5.0},
        {"num_steps": 2},
    ],
}
