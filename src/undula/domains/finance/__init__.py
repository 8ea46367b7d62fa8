"""Finance: stylised facts of returns, risk of the prices that they make, with intervals."""

from .dynamics import aggregated_kurtosis, clustering, leverage
from .facts import finance_facts
from .paths import first_passage, gain_loss_asymmetry, maximum_drawdown, prices
from .statistics import FINANCE, return_columns
from .tails import Hill, expected_shortfall, hill, losses, value_at_risk

__all__ = [
    "FINANCE",
    "Hill",
    "aggregated_kurtosis",
    "clustering",
    "expected_shortfall",
    "finance_facts",
    "first_passage",
    "gain_loss_asymmetry",
    "hill",
    "leverage",
    "losses",
    "maximum_drawdown",
    "prices",
    "return_columns",
    "value_at_risk",
]
