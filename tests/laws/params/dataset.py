"""Parameters with which the laws of kind dataset are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "sines": [
        {"num_series": 50},
    ],
    "ar1": [
        {"num_steps": 500},
    ],
}
