"""Parameters with which the laws of kind experiment are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "baseline": [
        {"baseline": "gaussian"},
    ],
}
