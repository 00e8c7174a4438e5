from dataclasses import replace

from analysis.published import published_values
from analysis.sections import Entry, Table
from analysis.tables import table_of
from tests.analysis.conftest import condition

[PUBLISHED] = [row for row in published_values()["cifar10", "resnet18", "clean", "none"] if row.value == "94.66"]


def table(*conditions) -> Table:
    return table_of(conditions, "final_accuracy")


def entries(made: Table) -> list[list[Entry]]:
    return [row.entries[1:] for row in made.rows]


def test_an_entry_reads_as_percent_with_its_interval_and_the_published_value_beside_it() -> None:
    [[entry]] = entries(table(condition("clean", "none", [0.54, 0.55, 0.56], published=[PUBLISHED])))
    assert (entry.text, entry.published) == ("55.0 ± 2.5", "94.7")  # 4.3027 x 1.0 / sqrt(3)


def test_one_seed_has_no_interval() -> None:
    [[entry]] = entries(table(condition("clean", "none", [0.543])))
    assert entry.text == "54.3"
    assert entry.note == ""


def test_failed_and_missing_conditions_are_told_apart() -> None:
    [[failed, missing]] = entries(
        table(condition("em", "none", [], planned=2, failed=2), condition("em", "pgd", [], planned=2))
    )
    assert (failed.value, missing.value) == ("failed", "–")  # noqa: RUF001


def test_a_partly_finished_condition_carries_a_mark_and_its_count() -> None:
    made = table(
        condition("em", "none", [0.2], planned=3, failed=1),
        condition("em", "pgd", [0.2, 0.3], planned=3),
        condition("sem", "none", [0.2], planned=3, failed=1),
    )
    assert made.marks == {
        "1 of 3 seeds finished, 1 failed, 1 missing; no interval": "†",
        "2 of 3 seeds finished, 1 missing": "‡",
    }


def test_the_lowest_protected_value_of_a_column_is_best_unless_no_protection_holds() -> None:
    made = table(
        *(condition("clean", attack, [0.5]) for attack in ("none", "pgd")),
        *(condition("em", attack, runs) for attack, runs in (("none", [0.2]), ("pgd", [0.6]))),
        *(condition("sem", attack, runs) for attack, runs in (("none", [0.3]), ("pgd", [0.7]))),
    )
    assert [[entry.best for entry in row] for row in entries(made)] == [[False, False], [True, False], [False, False]]


def test_rows_and_columns_keep_the_order_of_the_plan_and_show_the_papers_settings() -> None:
    first, second = (condition("sem", f"pgd radius={radius}/255", [0.3]) for radius in (8, 4))
    made = table(replace(first, attack=replace(first.attack, hint="4/255")), second)
    assert [(entry.value, entry.hint) for entry in made.head[1:]] == [("PGD 8/255", "4/255"), ("PGD 4/255", "")]
    assert [row.entries[0].value for row in made.rows] == ["SEM"]
