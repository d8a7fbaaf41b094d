"""The plans of the page about sizing are what is computed from the measured costs."""

from pathlib import Path

import pytest
from bench.sizing import COSTS, PLANS, Load, need, table

PAGE = Path(__file__).parents[2] / "docs/explanation/sizing.md"


def test_the_page_has_the_plans_as_they_are_computed() -> None:
    assert f"\n{table(PLANS)}\n" in PAGE.read_text(encoding="utf-8")


def test_twice_the_messages_take_twice_the_cores_and_room() -> None:
    one, two = need(Load(1, 50_000)), need(Load(1, 100_000))
    for name in ("node_cores", "database_cores", "log_mb_s", "disk_gb"):
        assert getattr(two, name) == pytest.approx(2 * getattr(one, name))
    assert one.nodes < two.nodes <= 2 * one.nodes


def test_whoever_asks_for_nothing_has_one_of_each() -> None:
    found = need(Load(1, 0))
    assert (found.nodes, found.pools) == (1, 1)
    assert found.node_gib == pytest.approx(COSTS["memory"]["node_mib"] / 1_024)


def test_what_is_pushed_and_heard_is_the_work_of_nodes() -> None:
    quiet, loud = need(Load(1, 1_000, pushed=0, heard=0)), need(Load(1, 1_000, pushed=2, heard=3))
    delivery = COSTS["delivery"]
    assert loud.node_cores - quiet.node_cores == pytest.approx(
        (2 * delivery["webhook_us"] + 3 * delivery["frame_us"]) / 1_000
    )
    assert loud.database_cores == quiet.database_cores
