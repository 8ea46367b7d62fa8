"""Parameters with which the laws of kind dataset are checked; a name that is not here: the defaults."""

from pathlib import Path
from typing import Any

PRICES = Path(__file__).parents[2] / "files" / "prices.csv"

PARAMS: dict[str, list[dict[str, Any]]] = {
    "sines": [
        {"num_series": 50},
    ],
    "bitcoin": [
        {"path": str(PRICES)},
    ],
    "ar1": [
        {"num_steps": 500},
    ],
}
