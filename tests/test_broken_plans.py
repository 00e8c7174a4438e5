"""Plans that do not hold what they should: named with what to do, set aside, and missing."""

from pathlib import Path

import pytest

from bench.store import Store
from tests.analysis.conftest import place, plan_of
from tests.test_broken import KEY, bytes_of, changed

MEASURED = {"dataset": "d", "model": "m", "method": "em", "measure": "x", "title": "x", "numbers": {}, "settings": {}}
PLAN = plan_of(
    [place("clean", "none", 3), place("em", "pgd radius=8/255", 3)],
    measures=[MEASURED | {"control": False, "cells": [KEY], "declined": ""}],
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes_of(PLAN)[:100], "EOF while parsing"),
        (b"{}", "grid: is missing"),
        (bytes_of(changed(PLAN, "scale.replaced", 5)), "scale.replaced: input should be a valid list, got 5"),
        (
            bytes_of(changed(PLAN, "scale.changes", {"multiply": "x"})),
            "scale.changes.multiply: input should be a valid",
        ),
        (bytes_of(changed(PLAN, "file", 5)), "file: input should be a valid string, got 5"),
        (bytes_of(changed(PLAN, "conditions.0.cells", ["../../etc"])), "conditions.0.cells.0: string should match"),
        (
            bytes_of(changed(PLAN, "conditions.0.cells", [KEY] * 3)),
            "conditions.0.cells: a cell stands in it tw",
        ),
        (bytes_of(changed(PLAN, "measures.0.cells", [KEY] * 2)), "measures.0.cells: a cell stands in it twice"),
        (bytes_of(changed(PLAN, "conditions.0.noises", 2)), "conditions.0: 3 cells do not spread over 2"),
        (bytes_of(changed(PLAN, "conditions.0.noises", 0)), "conditions.0: 3 cells do not spread over 0"),
        (
            bytes_of(changed(PLAN, "conditions.1.method", "rem")),
            "no words for 'rem' or 'pgd radius=8/255'",
        ),
        (
            bytes_of(changed(PLAN, "conditions.1.own_controls", [{"method": "em", "attack": "x"}])),
            "no words for 'em' or 'x'",
        ),
    ],
)
def test_a_plan_that_does_not_hold_is_named_with_what_to_do(
    content: bytes, expected: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    store.write_plan("good", PLAN)
    store.plan_file("bad").write_bytes(content)
    assert store.plans() == {"good": PLAN}
    [line] = caplog.messages
    assert line.startswith(f"{store.plan_file('bad')}: {expected}")
    assert line.endswith(f"{tmp_path}/broken/plans/bad.json; run its grid again, which keeps finished cells")
