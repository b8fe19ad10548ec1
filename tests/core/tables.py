"""Decision tables as people write them: one row for many combinations, and every combination in exactly one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product


def rows(table: str) -> list[tuple[str, ...]]:
    """Read a table with columns between bars. Empty lines are for the eye."""
    lines = [line for line in table.strip().splitlines() if line.strip()]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


def combinations(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return every combination of the columns' values."""
    return list(product(*columns.values()))


def look_up(table: str, *values: str) -> tuple[str, ...]:
    """Return what stands behind the values in the one row for them. A cell is `*`, or values separated by commas."""
    found = [row[len(values) :] for row in rows(table) if all(map(_fits, row, values))]
    assert found, f"no row for {values}"
    assert len(found) == 1, f"{len(found)} rows for {values}: {found}"
    return found[0]


def is_used(row: tuple[str, ...], columns: Mapping[str, Sequence[str]]) -> bool:
    """Whether a row is for any combination at all."""
    return any(all(map(_fits, row, values)) for values in combinations(columns))


def _fits(cell: str, value: str) -> bool:
    return cell == "*" or value in [one.strip() for one in cell.split(",")]
