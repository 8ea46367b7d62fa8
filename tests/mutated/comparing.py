"""Coefficients of paired differences.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

PAIRED = "evaluation/paired.py"
MUTATIONS = (
    ("paired: n − 1 → n degrees of freedom", PAIRED, "(1 + confidence), n - 1)", "(1 + confidence), n)"),
    ("paired: sd with n", PAIRED, "float(found.std(ddof=1)) /", "float(found.std()) /"),
    ("paired: without √n", PAIRED, "/ math.sqrt(n)", "/ 1.0"),
    ("paired: a one-sided quantile", PAIRED, "0.5 * (1 + confidence)", "confidence"),
    ("paired: a one-sided p", PAIRED, "2 * float(stats.t.sf", "1 * float(stats.t.sf"),
    ("paired: Bonferroni for Holm", PAIRED, "(len(order) - rank) * p", "len(order) * p"),
    ("paired: Holm without the running maximum", PAIRED, "max(highest, min(1.0,", "max(0.0, min(1.0,"),
    ("paired: spread with n", PAIRED, "float(finite.std(ddof=1))", "float(finite.std())"),
    ("paired: a winner beats one", PAIRED, "all(sign == wanted", "any(sign == wanted"),
    ("compared: Holm ignored", "evaluation/comparing.py", "all(p.holm <= 1 - CONFIDENCE", "all(p.holm <= 2"),
)  # fmt: skip
