"""Finance: stylised facts of returns, risk of the prices that they make, with intervals."""

from .dynamics import aggregated_kurtosis, clustering, leverage
from .facts import finance_facts
from .paths import first_passage, gain_loss_asymmetry, maximum_drawdown, prices
from .returns import finance_figures, log_returns, price_columns, return_columns
from .statistics import FINANCE, FINANCE_WORDS
from .tails import Hill, expected_shortfall, hill, losses, value_at_risk

__all__ = [
    "FINANCE",
    "FINANCE_WORDS",
    "Hill",
    "aggregated_kurtosis",
    "clustering",
    "expected_shortfall",
    "finance_facts",
    "finance_figures",
    "first_passage",
    "gain_loss_asymmetry",
    "hill",
    "leverage",
    "log_returns",
    "losses",
    "maximum_drawdown",
    "price_columns",
    "prices",
    "return_columns",
    "value_at_risk",
]
