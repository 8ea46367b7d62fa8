"""Parameters with which the laws of kind preprocessing are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "raw": [
        {"method": "standardise"},
        {"method": "minmax"},
        {"method": "robust"},
        {"method": "quantile"},
    ],
}
