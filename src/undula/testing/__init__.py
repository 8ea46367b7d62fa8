"""Laws that every component of a kind obeys, for ours and for yours.

    from undula.testing import check_component

    def test_my_noise():
        check_component(MyNoise(colour=1.0))

Each law is a function of a component that raises AssertionError with what was broken.
"""

from __future__ import annotations

from .suite import check_component, laws_of

__all__ = ["check_component", "laws_of"]
