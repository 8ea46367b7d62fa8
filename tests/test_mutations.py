"""Every mutation changes a line that is there exactly once, to another one."""

from __future__ import annotations

from .mutations import MUTATIONS, ROOT, TESTS


def test_every_mutation_has_its_line() -> None:
    counts = {m.what: (ROOT / "src" / "undula" / m.file).read_text().count(m.old) for m in MUTATIONS}
    assert {what: count for what, count in counts.items() if count != 1} == {}
    assert [m.what for m in MUTATIONS if m.old == m.new] == []


def test_mutations_have_names_of_their_own() -> None:
    assert len({m.what for m in MUTATIONS}) == len(MUTATIONS)


def test_the_tests_that_look_for_them_are_there() -> None:
    assert [path for path in TESTS if not (ROOT / path).exists()] == []
