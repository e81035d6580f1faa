"""While intake runs, the collector of cyclic garbage looks seldom; afterwards it is as it was."""

import gc

import pytest

from consumer.process import rare_collections


def test_the_collector_looks_seldom_and_only_at_what_is_new_until_the_end() -> None:
    before = gc.get_threshold()

    with rare_collections():
        within, frozen = gc.get_threshold(), gc.get_freeze_count()

    assert within[0] > 10 * before[0]
    assert frozen > 10_000
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_a_crash_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()

    with pytest.raises(RuntimeError), rare_collections():
        raise RuntimeError

    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
