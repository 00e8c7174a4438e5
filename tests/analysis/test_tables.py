import re
from html import unescape
from itertools import pairwise

import pytest

from analysis.conditions import Condition, Results
from analysis.estimates import estimate
from analysis.figures import CROWD, LABEL_GAP, MANY, _spread, accuracy_figure
from analysis.labels import parse, title
from analysis.published import Published
from analysis.tables import Table, tables_of

PUBLISHED = Published(0.9466, "94.66", "REM, ICLR 2022", "Table 2", "high", "", "", "")


def condition(method, attack, runs, *, planned=None, failed=0, published=()):
    [(name, settings)] = parse(method)
    accuracy, missing = estimate(runs), (planned or len(runs)) - len(runs)
    titles = {"sem": "SEM", "em": "EM", "pgd": "PGD", "clean": "clean", "none": "none", "random": "random"}
    return Condition(
        label={"dataset": "cifar10", "model": "cnn", "method": method, "attack": attack},
        titles={"method": title(method, titles), "attack": title(attack, titles)},
        control=method in ("clean", "random"),
        release=False,
        assumes=[],
        own_controls=[],
        paper={
            "dataset": "cifar10",
            "model": "resnet18",
            "method": {"name": name, **settings},
            "attacks": [{"name": "pgd", "radius": "4/255"} for _ in attack.split(" + ")],
        },
        accuracies=[*runs, *[None] * missing],
        failed=failed,
        estimates={"final_accuracy": accuracy, "peak_accuracy": accuracy},
        published=list(published),
    )


def table(*conditions) -> Table:
    plan = {"title": "A title", "about": "", "scale": {"name": "small", "about": "", "changes": {}}, "set": {}}
    [made] = tables_of(Results("table2-small", plan, list(conditions), [], [], {}))
    return made


def entries(made: Table):
    return [row for _, row in made.rows]


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
    made = table(condition("sem", "pgd radius=8/255", [0.3]), condition("sem", "pgd radius=4/255", [0.3]))
    assert [(column.title, column.paper) for column in made.columns] == [("PGD 8/255", "4/255"), ("PGD 4/255", "")]
    assert [heading.title for heading, _ in made.rows] == ["SEM"]


def test_the_same_table_draws_the_same_figure() -> None:
    made = table(condition("clean", "none", [0.5, 0.6]), condition("em", "none", [0.2, 0.3]))
    figure = accuracy_figure(made)
    assert figure == accuracy_figure(made)
    assert figure.startswith("<svg")
    assert ">clean<" in figure
    assert ">EM<" in figure


def test_what_only_clean_images_meet_is_not_drawn() -> None:
    made = table(condition("clean", "none", [0.5]), condition("clean", "pgd", [0.4]), condition("em", "none", [0.2]))
    assert ">PGD<" not in accuracy_figure(made)
    assert not accuracy_figure(table(condition("clean", "pgd", [0.4]), condition("em", "none", [], planned=1)))
    alone = table(condition("clean", "none", [0.5]), condition("clean", "pgd", [0.4]))
    assert ">PGD<" in accuracy_figure(alone)


def test_many_attacks_are_a_heat_map_that_shows_every_accuracy_once() -> None:
    attacks = [f"pgd radius={number}/255" for number in range(MANY + 1)]
    clean = [condition("clean", attack, [0.5]) for attack in attacks]
    protected = [condition("em", attack, [0.1 + 0.02 * number]) for number, attack in enumerate(attacks[1:])]
    unfinished = condition("em", attacks[0], [], planned=1)
    figure = accuracy_figure(table(*clean, unfinished, *protected))
    assert figure == accuracy_figure(table(*clean, unfinished, *protected))
    assert figure.count(">50<") == len(attacks)
    assert all(figure.count(f">{10 + 2 * number}<") == 1 for number in range(MANY))
    assert figure.count(">PGD") == len(attacks)
    few = accuracy_figure(table(*clean[:3], *protected[:2]))
    assert few.count(">50<") <= 1  # a number of the axis


def test_a_crowd_of_methods_is_a_heat_map_too() -> None:
    crowd = [condition(f"em radius={number}/255", "none", [0.1 + 0.02 * number]) for number in range(CROWD + 1)]
    assert all(accuracy_figure(table(*crowd)).count(f">{10 + 2 * number}<") == 1 for number in range(CROWD + 1))
    assert ">12<" not in accuracy_figure(table(*crowd[1:]))


def test_long_names_of_attacks_are_broken_into_lines_that_fit_beside_each_other() -> None:
    stacks = [f"pgd radius={number}/255 + random + clean + pgd radius=1/255" for number in range(5)]
    made = [condition(method, stack, [0.5]) for stack in stacks for method in ("clean", "em")]
    columns = table(*made).columns
    texts = [unescape(text) for text in re.findall(r">([^<>\n]+)</text>", accuracy_figure(table(*made)))]
    for column in columns:
        words = column.title.split()
        assert any(" ".join(texts[start:]).startswith(" ".join(words)) for start in range(len(texts)))
    assert max(len(text) for text in texts if "accuracy" not in text) < 20


def test_twenty_labels_fit_the_height_of_the_axis() -> None:
    heights = _spread([0.5] * 20, 1 / 20)
    assert heights[0] > 0
    assert heights[-1] < 1


def test_labels_of_lines_that_end_together_are_moved_apart_and_stay_in_order() -> None:
    heights = _spread([0.1, 0.5, 0.5, 0.51, 0.9], LABEL_GAP)
    assert (heights[0], heights[-1]) == (0.1, 0.9)
    assert sum(heights[1:4]) == pytest.approx(1.51)
    assert all(upper - lower >= LABEL_GAP - 1e-9 for lower, upper in pairwise(heights))
