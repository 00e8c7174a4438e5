"""Which published values belong to a condition, and which stand in its bracket."""

import csv
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.conditions import ConditionResult
from analysis.reading.published import CONFIDENCES, FILE, REM_RECIPE, Published, equal, matching, published_values
from analysis.reading.results import Results
from analysis.writing.brackets import bracket_line, same_recipe, settled
from bench.core.train import Recipe
from methods import METHODS
from tests.analysis.conftest import condition as made
from tests.analysis.conftest import plan_of, record


def place(method: str, attack: str = "none", *, written: str = "", model: str = "resnet18", **settings: Any) -> dict:
    """A condition of a plan, with the defaults of our method; `written` are its settings in the label."""
    chosen = {key: number(text) for key, _, text in (one.partition("=") for one in written.split())}
    attacks = [{"name": name, "revision": 1, **(settings if name != "none" else {})} for name in attack.split("+")]
    return {
        "dataset": "cifar10",
        "model": model,
        "method": f"{method} {written}".strip(),
        "attack": attack,
        "paper": {
            "dataset": "cifar10",
            "model": model,
            "method": {"name": method, **METHODS[method](**chosen).canonical(), **chosen},
            "attacks": attacks,
        },
    }


def number(text: str) -> Any:
    return text if "/" in text or text.isalpha() else float(text) if "." in text else int(text)


def digits(*args: Any, **settings: Any) -> list[str]:
    return [value.value for value in matching(place(*args, **settings))]


@pytest.mark.parametrize(
    ("method", "attack", "settings", "value", "laboratory"),
    [
        ("clean", "none", {}, "94.66", "REM"),
        ("clean", "pgd", {"radius": "4/255"}, "89.51", "REM"),
        ("em", "none", {}, "23.60", "EM"),
        ("em_stepwise", "none", {}, "13.20", "REM"),
        ("em_class", "none", {}, "13.05", "BridgePure"),
        ("tap", "none", {}, "7.26", "TAP"),
        ("tap_rem", "none", {}, "22.51", "REM"),
        ("ntga", "none", {}, "33.29", "NTGA"),
        ("ar", "none", {}, "11.75", "AR"),
        ("ops", "cutout", {"size": 0.5}, "61.68", "OPS"),
        ("cuda", "none", {}, "18.48", "CUDA"),
        ("rem", "none", {}, "27.09", "REM"),
        ("rem", "pgd", {"radius": "4/255"}, "48.16", "REM"),
        ("sem", "none", {}, "14.78", "MI-UE"),
        ("sem", "pgd", {"radius": 2 / 255}, "19.41", "MI-UE"),
        ("sem", "pgd", {"radius": "4/255"}, "29.77", "MI-UE"),
        ("em_stepwise", "partial_poisoning+pgd", {"radius": "4/255", "protected": 0.2}, "89.60", "REM"),
        ("pil", "none", {}, "12.77", "PIL"),
    ],
)
def test_the_first_value_is_that_of_the_methods_own_authors(
    method: str, attack: str, settings: dict[str, Any], value: str, laboratory: str
) -> None:
    first = matching(place(method, attack, **settings))[0]
    assert (first.value, first.laboratory) == (value, laboratory)


@pytest.mark.parametrize(
    ("method", "attack", "settings", "others"),
    [
        (
            "em",
            "none",
            {},
            {"13.20": "the stepwise EM of REM", "13.05": "class-wise", "20.78": "APBench's", "18.26": "?"},
        ),
        ("tap", "none", {}, {"22.51": "of REM's scripts", "10.01": "with another regulariser"}),
        ("ntga", "none", {}, {"16.27": "surrogate untold", "28.84": "t=1", "20.63": "fnn", "22.76": "APBench's"}),
        ("ar", "none", {}, {"20.49": "l-inf", "11.74": "radius untold", "17.41": "radius untold"}),
        ("ops", "none", {}, {"15.24": "2 pixels", "9.74": "3 pixels", "9.71": "4 pixels"}),
        ("cuda", "none", {}, {"90.47": "one kernel for all", "25.48": "kernel untold"}),
        ("rem", "none", {}, {"17.47": "another algorithm of APBench"}),
        ("sc", "none", {}, {"19.07": "l2 1.0", "13.85": "radius untold"}),
        ("tap", "ueraser_max", {"probability": 0.5}, {"79.05": "its JPEG variant"}),
        ("tap", "pgd", {"radius": "8/255"}, {"79.92": "radius unverified"}),
    ],
)
def test_a_value_of_a_variant_that_we_do_not_have_stands_nowhere(
    method: str, attack: str, settings: dict[str, Any], others: dict[str, str]
) -> None:
    found = digits(method, attack, **settings)
    anywhere = {value.value for values in published_values().values() for value in values}
    assert others.keys() <= anywhere
    assert not others.keys() & set(found), found


def test_all_that_belong_are_kept_own_authors_first_and_then_the_surest() -> None:
    values = matching(place("em"))
    assert [value.laboratory for value in values] == ["EM", "ISS", "OPS", "BridgePure", "MI-UE"]
    order = [(not value.own, CONFIDENCES.index(value.confidence)) for value in values]
    assert order == sorted(order)


def test_the_radius_of_an_attack_must_be_stated_and_be_ours() -> None:
    assert digits("sem", "pgd", radius=4 / 255)
    assert not digits("sem", "pgd", radius="3/255")
    assert digits("em", "jpeg", quality=10)
    assert not digits("em", "jpeg", quality=50)
    assert not digits("em", "jpeg", quality=10, radius="4/255")
    assert digits("cuda", "pgd_l2", l2_radius=0.5)
    assert not digits("cuda", "pgd_l2", l2_radius=1.0)


def test_the_settings_that_a_grid_writes_must_be_told_by_the_value() -> None:
    assert digits("em", written="radius=8/255") == digits("em")
    assert not digits("em", written="radius=16/255")
    assert not digits("em", written="steps=5")
    assert digits("ntga", written="kernel=cnn time=1.0") == ["34.74"]
    assert "20.63" not in digits("ntga", written="kernel=fnn time=64.0")
    assert digits("cuda", written="kernel_size=3")
    assert not digits("cuda", written="kernel_size=5")
    assert not digits("rem", written="noise_step=fgsm")


def test_other_models_and_synthetic_images_meet_nothing() -> None:
    assert not digits("sem", model="cnn")
    assert not digits("clean", model="cnn")  # that of NTGA is another network
    assert not matching(place("em") | {"dataset": "synthetic"})


@pytest.mark.parametrize("written", ["size=16", "train_images=1000", "path=a classes=10", "size=16 path=a"])
def test_other_images_of_a_data_set_meet_no_published_value(written: str) -> None:
    assert matching(place("em"))
    assert matching(place("em") | {"dataset": "cifar10 path=my folder skip_broken=true"})
    assert not matching(place("em") | {"dataset": f"cifar10 {written}"})


def test_the_file_tells_what_it_must_of_every_accuracy() -> None:
    with FILE.open(newline="", encoding="utf-8") as stream:
        rows = [Published.model_validate(row) for row in csv.DictReader(stream)]
    accuracies = [row for row in rows if row.metric == "test_accuracy"]
    assert all(0 < row.accuracy < 1 for row in accuracies)
    assert all(row.recipe for row in accuracies)
    assert not [row for row in accuracies if row.own and not row.variant]


def of(*methods: str, **settings: Any) -> list[ConditionResult]:
    attack = "pgd" if settings else "none"
    return [made(method, attack, [0.5], published=matching(place(method, attack, **settings))) for method in methods]


def test_one_laboratory_fills_a_whole_table_if_it_can() -> None:
    conditions = settled(of("clean", "rem", "sem", radius="4/255"))
    assert [one.published[0].value for one in conditions][1:] == ["39.45", "29.77"]
    assert "one laboratory: MI-UE" in bracket_line(conditions)
    conditions = settled(of("clean", "rem", radius="4/255"))  # REM and MI-UE have both: REM is its own authors'
    assert [one.published[0].value for one in conditions] == ["89.51", "48.16"]


def test_otherwise_every_bracket_is_the_own_authors_and_the_words_say_so() -> None:
    conditions = settled(of("em", "em_stepwise", "sem"))
    assert [one.published[0].value for one in conditions] == ["23.60", "13.20", "14.78"]
    assert "with the laboratory that measured each" in bracket_line(conditions)
    assert bracket_line(settled(of("sc"))) == ""


@pytest.mark.parametrize(("method", "same"), [("rem", True), ("sem", False), ("sc", False)])
def test_the_condition_is_the_same_only_if_the_recipe_is(method: str, same: bool, tmp_path: Path) -> None:
    def results(recipe: dict[str, Any]) -> Results:
        records = [record(0.5) | {"cell": {"train": recipe}}]
        return Results("plan", plan_of([]), of(method), [], records, {}, tmp_path)

    assert same_recipe(results({**REM_RECIPE, "evaluate_every": 500, "revision": 1})) is same
    assert not same_recipe(results({**REM_RECIPE, "steps": 20_000}))


def test_our_recipe_is_that_of_rem() -> None:
    ours = Recipe().canonical()
    assert {key: ours[key] for key in REM_RECIPE} == REM_RECIPE


@pytest.mark.parametrize(
    ("ours", "text", "same"), [("4/255", "4/255", True), (0.5, "0.50", True), (10, "5", False), (True, "true", True)]
)
def test_settings_are_compared_by_value(ours: object, text: str, same: bool) -> None:
    assert equal(ours, text) is same
