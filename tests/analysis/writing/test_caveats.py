"""What is said under every table that has intervals, or victims that learnt too little."""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from analysis.drawing.canvas import svg
from analysis.drawing.figures import accuracy_figure
from analysis.reading.records import read_results
from analysis.report import write_report
from bench.store import Store
from tests.analysis.conftest import Accuracies, condition, keep, key_of, markdown_of, place, plan_of, record, results_of

ONE_NOISE = "± is half of the 95 % Student interval of the mean over victims of one noise"
SHORT = "the victims are far from fully trained"


def written(folder: Path, ending: str = "md") -> str:
    write_report(Store(folder))
    return (folder / "report" / f"g-small.{ending}").read_text()


def short(folder: Path, trained: float, attacks: tuple[str, ...] = ("none", "pgd"), **changes: Any) -> str:
    """The Markdown of a plan whose victims of clean images end with that share of their training images right."""
    store = Store(folder)
    places = [place(method, attack, 1, **changes) for method in ("clean", "em") for attack in attacks]
    store.write_plan("g-small", plan_of(places))
    for one in places:
        fitted = trained if one["method"] == "clean" and one["attack"] == "none" else 0.1
        looks = {"step": [8], "test_accuracy": [0.5], "train_accuracy": [fitted]}
        keep(store, f"{one['method']}-{one['attack']}-0", record(0.5, looks=looks))
    return written(folder)


def test_clean_victims_far_from_their_end_are_told_with_both_numbers(tmp_path: Path) -> None:
    text = short(tmp_path, 0.523)
    assert (
        "Plain training on clean images ends at 52.3 % on its training images and 50.0 % on test images: "
        "the victims are far from fully trained, so differences between rows may be facts of short training."
    ) in text
    sections = {part.split("\n")[0]: part for part in text.split("\n## ")[1:]}
    warned = {name.partition(",")[0] for name, part in sections.items() if SHORT in part}
    assert warned == {"Final accuracy on clean test images", "Recovered", "Peak accuracy (oracle)"}


@pytest.mark.parametrize("trained", [0.9, 0.999])
def test_clean_victims_near_their_end_need_no_warning(trained: float, tmp_path: Path) -> None:
    assert SHORT not in short(tmp_path, trained)


def test_without_plain_training_on_clean_images_nothing_is_known(tmp_path: Path) -> None:
    assert SHORT not in short(tmp_path, 0.1, attacks=("pgd",))


@pytest.mark.parametrize(("other", "told"), [(1.0, False), (1.00001, False), (1.001, True)])
def test_tables_say_that_victims_met_two_copies_of_a_noise(other: float, told: bool, tmp_path: Path) -> None:
    results_of(tmp_path, {("sem", "none"): [0.1, 0.2], ("em", "none"): [0.3, 0.4]})
    made = record(0.2)
    made["noise"]["size"]["mean_l2"] = other
    keep(Store(tmp_path), "em-none-1", made)
    made["noise"]["key"] = key_of("another")
    keep(Store(tmp_path), "sem-none-1", made)
    said = "Victims of one noise met different copies of it, because machines draw other numbers: EM."
    assert (said in written(tmp_path)) == told


def test_tables_say_that_their_cells_were_computed_in_two_ways(tmp_path: Path) -> None:
    warning = "Cells that are read against each other were computed in different ways: "
    assert warning not in short(tmp_path, 0.5)
    store = Store(tmp_path)
    key = store.find("")[0]
    made = store.read(key)
    assert made
    made["provenance"] |= {"device": "NVIDIA H200", "precision": "bfloat16"}
    store.write(key, made)
    told = f"{warning}float32 on cpu (3 cells); bfloat16 on NVIDIA H200 (1 cell)."
    assert f"- {told}" in written(tmp_path)


def test_every_table_with_an_interval_says_over_what_it_is(tmp_path: Path) -> None:
    runs: Accuracies = {(method, f"attack{n}"): [0.5, 0.6] for method in ("clean", "em") for n in range(6)}
    results_of(tmp_path, runs)
    sections = written(tmp_path).split("\n## ")[1:]
    assert [ONE_NOISE in part for part in sections] == [" ± " in part.replace(ONE_NOISE, "") for part in sections]
    assert sum(ONE_NOISE in part for part in sections) >= 3  # best response, accuracy, peak
    latex = (tmp_path / "report" / "g-small.tex").read_text()
    tables = latex.split(r"\begin{table}")[1:]
    told = r"$\pm$ is half of the 95 \% Student interval of the mean over victims of one noise"
    assert [told in part for part in tables] == [r" $\pm$ " in part.replace(told, "") for part in tables]
    page = (tmp_path / "report" / "index.html").read_text()
    assert page.count(ONE_NOISE) == 2  # once for the answer, and once for all tables of the plan
    assert "over victims" not in re.sub(f"{ONE_NOISE}|over victims of one noise", "", page)


@pytest.mark.parametrize(("noises", "over"), [(1, "victims of one noise"), (2, "noises")])
def test_the_files_of_numbers_say_it_too(noises: int, over: str, tmp_path: Path) -> None:
    runs: Accuracies = {(method, f"attack{n}"): [0.5, 0.6] for method in ("clean", "em") for n in range(6)}
    results_of(tmp_path, runs, noises={"em": noises})
    write_report(Store(tmp_path))
    for file in ("g-small.csv", "g-small-best-response.csv"):
        with (tmp_path / "report" / file).open() as stream:
            rows = list(csv.DictReader(stream))
        assert {(row["method"], row["interval_over"]) for row in rows} == {("clean", "victims"), ("em", over)}


def test_one_finished_noise_of_several_has_no_interval(tmp_path: Path) -> None:
    results_of(tmp_path, {("em", "none"): [0.2, 0.3, None, None]}, noises={"em": 2})
    write_report(Store(tmp_path))
    text = markdown_of(tmp_path)
    assert "| EM | 25.0† |" in text  # and no best, because noises are missing
    assert "No best is marked" not in text  # there is nothing to compare
    assert "2 of 4 seeds finished, 2 missing; no interval" in text


def test_the_bars_of_a_figure_say_over_what_they_are() -> None:
    def title(*conditions: Any) -> str:
        figure = accuracy_figure(conditions)
        assert figure is not None
        return next(text for text in re.findall(r">([^<>\n]+)</text>", svg(figure)) if "accuracy on" in text)

    clean, em = condition("clean", "none", [0.5, 0.6]), condition("em", "none", [0.2, 0.3])
    assert title(clean, em) == "accuracy on clean test images, %; bars: 95 % interval over victims of one noise"
    assert title(condition("em", "none", [0.2])) == "accuracy on clean test images, %"
    several = replace(condition("sem", "none", [0.2, 0.3, 0.4, 0.5]), noises=2)
    assert title(em, several) == "accuracy on clean test images, %; bars: 95 % intervals of the table"


def test_several_noises_are_what_an_interval_is_over(tmp_path: Path) -> None:
    results = results_of(
        tmp_path, {("clean", "none"): [0.5, 0.6], ("em", "none"): [0.2, 0.3, 0.4, 0.5]}, noises={"em": 2}
    )
    assert read_results("g-small", results.plan, Store(tmp_path)).noises == [2]
    assert [one.interval_over for one in results.conditions] == ["victims", "noises or victim seeds"]
    assert "of the mean over noises or over victim seeds, whichever is wider; on clean images" in written(tmp_path)


def test_a_single_victim_has_an_interval_over_test_images_and_the_words_say_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    places = [place(method, "none", 1) for method in ("clean", "em")]
    store.write_plan("g-small", plan_of(places))
    for method in ("clean", "em"):
        made = record(0.5)
        made["result"]["test_images"] = 180
        keep(store, f"{method}-none-0", made)
    write_report(store)
    text = markdown_of(tmp_path)
    assert "| EM | 50.0 ± 7.2 |" in text
    assert "± is the longer side of the 95 % Wilson interval over the test images; it says nothing of a second" in text
    assert "Student" not in text
    with (tmp_path / "report" / "g-small.csv").open() as stream:
        row = list(csv.DictReader(stream))[1]
    assert (row["interval_over"], row["test_images"]) == ("test images of one victim", "180")
    assert float(row["final_accuracy_high"]) == pytest.approx(
        stats.binomtest(90, 180).proportion_ci(method="wilson").high, abs=1e-6
    )


@pytest.mark.parametrize(
    ("robust", "images", "told"), [(0.031, 400, True), (0.3, 400, False), (0.0, 16, False), (None, 0, False)]
)
def test_adversarial_training_that_withstands_only_its_own_adversary_is_told(
    robust: float | None, images: int, told: bool, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    places = [place(method, attack, 1) for method in ("clean", "em") for attack in ("none", "fgsm", "pgd")]
    store.write_plan("g-small", plan_of(places))
    for one in places:
        share = robust if one["attack"] == "fgsm" else 0.3
        notes = {} if robust is None else {"notes": {"robust_accuracy": share, "robust_images": images}}
        keep(store, f"{one['method']}-{one['attack']}-0", record(0.5) | notes)
    text = written(tmp_path)
    assert ("victims of clean images are hardly ever right under PGD, after fgsm (3.1 %)." in text) is told
