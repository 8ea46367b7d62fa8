"""Parameters with which the laws of kind baseline are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "block_bootstrap": [
        {},
        {"block_length": 5},
    ],
}
