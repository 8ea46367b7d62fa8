"""CPU seconds of `undula --help` and of `import undula`, as whole processes.

python benchmarks/imports.py
"""

from __future__ import annotations

import statistics

from common import run_alone, table, verdict, write

CASES = {
    "undula --help": (
        "import sys; sys.argv = ['undula', '--help']\nfrom undula.cli import main\nmain()",
        0.30,
    ),
    "import undula": ("import undula, sys; assert 'torch' not in sys.modules", 0.15),
    "undula components": (
        "import sys; sys.argv = ['undula', 'components']\nfrom undula.cli import main\nmain()",
        1.0,
    ),
}


def main() -> None:
    rows, figures = [], []
    for what, (code, mark) in CASES.items():
        run_alone(code, 1)
        seconds = run_alone(code, 7)
        rows.append({"what": what, "CPU s, median": statistics.median(seconds), "least": seconds[0]})
        figures.append((what, statistics.median(seconds), mark))
    table(rows)
    write("imports", {"rows": rows, "figures": [verdict(*figure) for figure in figures]})


if __name__ == "__main__":
    main()
