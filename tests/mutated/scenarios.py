"""Which row is told, matched windows, their blocks, and risk figures."""

MUTATIONS = (
    ("at start: the window's own first row", "data/windows.py", "self.before[starts + self.history_len]", "self.before[starts + self.history_len + 1]"),
    ("at start: without the row before", "data/stretches.py", "_row_before(start[first:last])[-len(part) - 1 :]", "_row_before(start[first:last])[: len(part) + 1]"),
    ("at start: a table's first row", "data/given.py", "series.before[rows - needed + h]", "series.before[rows - needed]"),
    ("at start: log left out", "data/start.py", 'seen = np.log(values) if self.scale == "log" else values\n        scaled', "seen = values\n        scaled"),
    ("at start: log left out of the graph", "export/graph.py", 'torch.log(given["at_start"]) if c.start.scale == "log" else given["at_start"]', 'given["at_start"]'),
    ("matched: band of twice the width", "domains/finance/real.py", "<= match * abs(level)", "<= 2 * match * abs(level)"),
    ("matched: at or below the threshold", "domains/finance/real.py", "self.levels >= level if match is None", "self.levels <= level if match is None"),
    ("intervals: blocks of one length", "evaluation/blocks.py", "_WINDOWS_A_BLOCK = 2", "_WINDOWS_A_BLOCK = 1"),
    ("intervals: of 95 instead of 90 per cent", "evaluation/intervals.py", "[(1 - level) / 2, (1 + level) / 2]", "[(1 - level) / 4, 1 - (1 - level) / 4]"),
    ("risk: volatility not annualised", "domains/finance/risk.py", "np.sqrt(per_year * np.mean(np.square(r), axis=1))", "np.sqrt(np.mean(np.square(r), axis=1))"),
    ("scenarios: falling counts as rising", "domains/finance/scenarios.py", "(np.diff(values) > 0).all()", "(np.diff(values) >= 0).all()"),
)  # fmt: skip
