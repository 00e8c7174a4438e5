from dataclasses import replace

from analysis.reading.published import published_values
from analysis.writing.sections import Entry, Table
from analysis.writing.standing import standing_lines
from analysis.writing.tables import table_of
from tests.analysis.conftest import at_chance, condition

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


def test_what_cannot_be_told_from_the_best_is_marked_as_tied() -> None:
    made = table(
        condition("clean", "none", [0.8, 0.83, 0.81]),
        condition("em", "none", [0.2, 0.22, 0.21]),
        condition("sem", "none", [0.21, 0.22, 0.2]),
        condition("jpeg", "none", [0.5, 0.53, 0.51]),
    )
    assert [(entry.best, entry.tied) for [entry] in entries(made)] == [
        *[(False, False), (True, False), (False, True), (False, False)],
    ]


def test_single_runs_have_a_lowest_and_no_ties() -> None:
    conditions = [condition("em", "none", [0.2]), condition("sem", "none", [0.2001])]
    assert [(entry.best, entry.tied) for [entry] in entries(table(*conditions))] == [(True, False), (False, False)]
    assert standing_lines(conditions, "final_accuracy") == [
        "Where the lowest is a single run, bold is only the lowest: no test can tell it from another row."
    ]


def test_a_column_in_which_a_protecting_row_lacks_results_has_no_best() -> None:
    conditions = [
        condition("clean", "none", [], planned=2),  # a control need not be there
        condition("em", "none", [0.2, 0.2]),
        condition("sem", "none", [0.3, 0.3]),
        condition("em", "pgd", [0.2, 0.3]),
        condition("sem", "pgd", [0.3], planned=2),
        condition("jpeg", "pgd", [0.4, 0.5]),
    ]
    made = table(*conditions)
    assert [[entry.best for entry in row] for row in entries(made)][1:3] == [[True, False], [False, False]]
    assert "No best is marked where a protecting row lacks results: PGD." in standing_lines(
        conditions, "final_accuracy"
    )


def test_a_column_in_which_every_row_is_tied_has_no_best() -> None:
    conditions = [
        condition("clean", "none", [0.5, 0.6, 0.4]),
        condition("em", "none", [0.4, 0.6, 0.4]),
        condition("sem", "none", [0.5, 0.5, 0.45]),
        condition("clean", "pgd", [0.8, 0.83, 0.81]),
        condition("em", "pgd", [0.2, 0.22, 0.21]),
        condition("sem", "pgd", [0.21, 0.22, 0.2]),
    ]
    marks = [[(entry.best, entry.tied) for entry in row] for row in entries(table(*conditions))]
    assert [row[0] for row in marks] == [(False, False)] * 3
    assert [row[1] for row in marks] == [(False, False), (True, False), (False, True)]
    told = standing_lines(conditions, "final_accuracy")
    said = "No best is marked where the lowest row is not shown to be below clean images, or below any other: none."
    assert said in told


def test_a_column_whose_lowest_row_is_tied_with_clean_images_has_no_best_whatever_else_is_worse() -> None:
    conditions = [
        condition("clean", "none", [0.5, 0.6, 0.4]),
        condition("em", "none", [0.4, 0.6, 0.4]),
        condition("sem", "none", [0.9, 1.0, 0.92]),
    ]
    alone = entries(table(*conditions[1:]))
    assert [(entry.best, entry.tied) for [entry] in alone] == [(True, False), (False, False)]
    assert not any(entry.best or entry.tied for [entry] in entries(table(*conditions)))


def test_a_victim_that_never_left_chance_is_marked_and_never_best() -> None:
    collapsed = at_chance(condition("em", "pgd", [0.1, 0.1]))
    made = table(condition("clean", "pgd", [0.5, 0.51]), collapsed, condition("sem", "pgd", [0.3, 0.31]))
    _, [one], [other] = entries(made)
    assert (one.best, other.best) == (False, True)
    assert one.note.startswith("1 of 2 victims collapsed: neither training nor test accuracy ended above chance")


def test_the_smallest_difference_stands_under_the_table() -> None:
    conditions = [condition("em", "none", [0.2, 0.3, 0.25]), condition("sem", "none", [0.3, 0.41, 0.34])]
    [line] = [one for one in standing_lines(conditions, "final_accuracy") if "smallest" in one]
    # Differences 0.10, 0.11 and 0.09: 5.6535 standard errors of 0.01 / sqrt(3).
    assert line.startswith("The smallest difference of two rows that 3 victims each could show is 3.3 points")
