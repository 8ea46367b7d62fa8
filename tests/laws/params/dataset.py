"""Parameters with which the laws of kind dataset are checked; a name that is not here: the defaults."""

from pathlib import Path
from typing import Any

FILES = Path(__file__).parents[2] / "files"
PRICES = FILES / "prices.csv"

PARAMS: dict[str, list[dict[str, Any]]] = {
    "sines": [
        {"num_series": 50},
    ],
    "bitcoin": [
        {"path": str(PRICES)},
    ],
    "sp500_logret": [
        {},
        {"path": str(PRICES)},
    ],
    "vix_sp500": [
        {"path": str(PRICES), "vix_path": str(PRICES)},
    ],
    "yahoo": [],  # from the network: in tests/data/test_downloads.py
    "fred": [],
    "gefcom2014": [
        {"path": str(FILES / "load.csv")},
    ],
    "ar1": [
        {"num_steps": 500},
    ],
}
