"""Small work on one thread, and as many as before afterwards."""

from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

from undula.core.threads import one_thread


def counts() -> set[int]:
    return {library["num_threads"] for library in threadpool_info()}


def test_small_work_has_one_thread_and_the_rest_as_many_as_before() -> None:
    with threadpool_limits(2):
        before = counts()
        with one_thread():
            assert counts() == {1}
        assert counts() == before
        with one_thread(small=False):
            assert counts() == before
