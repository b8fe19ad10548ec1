"""Random schedules: races, repeated messages, crashes and cut connections, at every await.

Each test runs a block of seeds; `--schedules` multiplies the number of blocks for a soak.
"""

from __future__ import annotations

import pytest

from tests.simulation.schedules import CRASHES, CUTS, NONE, OUTAGES, TWICE, run_schedule

BLOCK = 40


def test_without_faults_both_sides_end_equal_and_nothing_is_written_twice(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, NONE, faultless=True)


def test_messages_late_twice_and_out_of_order_change_nothing_in_the_end(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, TWICE, faultless=True)


def test_crashes_at_any_await_are_made_good(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, CRASHES)


def test_outages_and_lost_answers_of_either_side_are_made_good(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, OUTAGES)


def test_cut_connections_with_the_old_worker_still_at_work_are_made_good(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, CUTS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = 3 * int(str(metafunc.config.getoption("--schedules")))
    metafunc.parametrize("block", range(blocks))
