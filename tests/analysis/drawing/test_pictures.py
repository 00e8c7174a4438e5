"""What figures show, by numbers that can be checked by hand."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.drawing import gallery_images
from analysis.drawing.curves import over_radius, over_training
from analysis.early_stopping import sections as early_stopping
from analysis.numbers.estimates import Estimate
from analysis.page import portraits
from analysis.page.critical_difference import cliques, critical_difference, mean_ranks, table_of_accuracies
from analysis.page.front import Offer, front
from analysis.page.ranking import ranking
from analysis.reading.conditions import Words
from analysis.reading.stopping import stopped
from analysis.report import _chapter
from analysis.swept import swept
from analysis.writing.sections import Drawing
from bench.core.errors import UserError
from tests.analysis.conftest import Accuracies, results_of
from tests.analysis.page.test_answer import CLEAN, STRONG, runs


def words(drawn: Drawing) -> list[str]:
    return re.findall(r">([^<>]+)</text>", drawn.svg)


def test_nobody_beats_a_method_of_the_front_in_cost_and_protection() -> None:
    offers = [Offer("cheap", 0, 40), Offer("beaten", 10, 45), Offer("dear", 100, 30), Offer("as dear", 100, 35)]
    assert [one.title for one in front(offers)] == ["cheap", "dear"]


def test_mean_ranks_share_ties_and_begin_with_the_lowest_accuracy() -> None:
    ranks = mean_ranks({"weak": [0.5, 0.5, 0.9], "strong": [0.1, 0.2, 0.1], "tied": [0.5, 0.6, 0.3]})
    assert ranks == {"strong": 1.0, "weak": pytest.approx((2.5 + 2 + 3) / 3), "tied": pytest.approx((2.5 + 3 + 2) / 3)}


def test_the_critical_difference_is_that_of_demsar() -> None:
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)  # JMLR 7 (2006), section 3.2.2


def test_a_clique_is_as_long_as_the_critical_difference_lets_it_be() -> None:
    assert cliques([1, 1.5, 2.2, 4], 1.0) == [(0, 1), (1, 2)]
    assert cliques([1, 1.2, 1.4], 1.0) == [(0, 2)]
    assert cliques([1, 3], 1.0) == []


def test_ranks_are_over_the_attacks_that_every_complete_method_has_met(tmp_path: Path) -> None:
    wanted = runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG, tap=STRONG)
    wanted["tap", "attack5"] = [0.2, None, 0.2]
    results = results_of(tmp_path, wanted)
    found = table_of_accuracies(ranking(results, _chapter(results)), stopped(results))
    assert list(found) == ["SEM", "EM"]
    assert len(found["EM"]) == 7  # plain training and six attacks


def test_the_curve_over_the_radius_begins_with_plain_training(tmp_path: Path) -> None:
    attacks = ("none", "pgd radius=8/255", "pgd radius=4/255", "jpeg")
    wanted: Accuracies = {(method, attack): [0.5] for method in ("clean", "em") for attack in attacks}
    [drawn] = over_radius([results_of(tmp_path, wanted)])
    assert "EM" in words(drawn)
    assert "clean" not in words(drawn)
    few: Accuracies = {(method, attack): [0.1] for method in ("em", "sem", "rem", "tap") for attack in attacks[:2]}
    clean: Accuracies = {("clean", f"pgd radius={radius}/255"): [0.1] for radius in range(1, 9)}
    others = [results_of(tmp_path / name, runs) for name, runs in (("few", few), ("none", clean))]
    assert over_radius(others) == []
    [again] = over_radius([*others, results_of(tmp_path, wanted)])  # more points, and no curve
    assert again.svg == drawn.svg


def test_training_is_drawn_of_protected_images_and_of_clean_ones_as_reference(tmp_path: Path) -> None:
    [drawn] = over_training(results_of(tmp_path, {("clean", "none"): CLEAN, ("em", "none"): STRONG}))
    assert {"EM", "test images", "its own training images"} <= set(words(drawn))
    assert over_training(results_of(tmp_path / "none", {("em", "none"): [None]})) == []


def test_a_setting_that_varies_alone_is_a_curve_and_two_are_a_map(tmp_path: Path) -> None:
    alone: Accuracies = {(f"sem updates={count}", "none"): [0.1 * count] for count in (1, 2, 3)}
    plain = results_of(tmp_path / "alone", alone)
    [curve] = swept(plain)
    assert curve.file == "-settings.svg"
    assert "SEM updates, updates" in words(curve)  # the words that all titles begin with, and the setting
    assert "clean images" not in words(curve)
    titled = [replace(one, method=Words(f"SEM, other, {place} updates")) for place, one in enumerate(plain.conditions)]
    [named] = swept(replace(plain, conditions=titled))
    assert "SEM, other, updates" in words(named)
    radii = [replace(one, method=Words(f"SEM, adversary of {place}/255")) for place, one in enumerate(plain.conditions)]
    assert "SEM, updates" in words(swept(replace(plain, conditions=radii))[0])  # and no half of a phrase
    [against] = swept(results_of(tmp_path / "clean", {("clean", "none"): [0.8], **alone}))
    assert "clean images" in words(against)
    assert "stroke-width: 0.9" not in curve.svg  # one victim has no interval
    results = results_of(tmp_path / "costs", alone)
    dear = [
        replace(one, estimates={**one.estimates, "noise_passes": Estimate(100 * (1 + place), None, 1)})
        for place, one in enumerate(results.conditions)
    ]
    [beside] = swept(replace(results, conditions=dear))
    assert "SEM updates, passes by updates" in words(beside)
    assert "SEM updates, passes by updates" not in words(curve)  # they cost the same
    several: Accuracies = {(f"sem updates={count}", "none"): [0.1 * count, 0.2] for count in (1, 2, 3)}
    elsewhere = [replace(one, label=one.label | {"dataset": "e"}) for one in plain.conditions]
    both = swept(replace(plain, conditions=[*plain.conditions, *elsewhere]))
    assert [one.file for one in both] == ["-settings-d-m.svg", "-settings-e-m.svg"]
    assert [one.text.partition(":")[0] for one in both] == ["m on d", "m on e"]
    [bars] = swept(results_of(tmp_path / "several", several))
    assert bars.svg.count("stroke-width: 0.9") == 3
    pairs: Accuracies = {
        (f"sem adv_radius={first}/255 random_radius={second}/255", "none"): [0.1 * first + 0.01 * second]
        for first in (2, 4)
        for second in (1, 2, 3)
    }
    [drawn] = swept(results_of(tmp_path / "pairs", pairs))
    assert {"21.0", "43.0", "adv radius", "random radius", "2/255"} <= set(words(drawn))
    each: Accuracies = {
        (f"sem adv_radius={first}/255 random_radius={second}/255", f"pgd radius={first}/255"): [0.1 * first]
        for first in (2, 4)
        for second in (1, 2, 3)
    }
    [pooled] = swept(results_of(tmp_path / "each", each))
    assert {"20.0", "40.0", "random radius"} <= set(words(pooled))
    assert "under PGD 2/255 or PGD 4/255" in pooled.text
    assert "higher in its row" in pooled.text  # each row has met an attack of its own
    assert "in its row" not in drawn.text
    strengths = [re.findall(r"fill-opacity: ([\d.]+)", one.svg) for one in (drawn, pooled)]
    assert [len(set(one)) for one in strengths] == [6, 1]  # equal numbers in each row of the second
    assert "the lowest has a frame" in drawn.text
    assert "the lowest in its row has a frame" in pooled.text
    assert swept(results_of(tmp_path / "none", {("sem surrogate=cnn", "none"): [0.1]})) == []


def test_early_stopping_is_a_curve_over_patience(tmp_path: Path) -> None:
    looks = [[4, 4]] * 3
    history = {"step": [0, 400, 800], "test_accuracy": [0.2, 0.3, 0.4], "validation_clean": looks}
    results = results_of(tmp_path, {("em", "early_stopping"): [0.4]}, em=history | {"validation_protected": looks})
    [section] = early_stopping(results)
    assert section.figure is not None
    assert {"EM", "validation on clean images", "patience, in steps without a better look"} <= set(
        words(section.figure)
    )


def test_figures_are_also_images_on_white(tmp_path: Path) -> None:
    [drawn] = over_training(results_of(tmp_path, {("em", "none"): STRONG}))
    (tmp_path / "drawn.png").write_bytes(drawn.png)
    image = Image.open(tmp_path / "drawn.png").convert("RGB")
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert image.width > 700


def test_smooth_noise_is_bright_in_the_middle_and_a_chessboard_in_the_corner() -> None:
    row, column = np.indices((8, 8))
    chess = np.where((row + column) % 2, 4, -4)[None, ..., None].repeat(3, axis=3)
    assert np.argwhere(gallery_images.spectrum(chess)).tolist() == [[0, 0]]
    assert np.argwhere(gallery_images.spectrum(np.full((2, 8, 8, 3), 3))).tolist() == [[4, 4]]


def test_the_gallery_has_the_same_images_for_every_method() -> None:
    sheets = gallery_images.committed().sheets
    assert len(sheets) >= 16
    assert {"EM, original", "SEM", "OPS", "CUDA"} <= {sheet.title for sheet in sheets}
    sizes = {Image.open(io.BytesIO(part)).size for sheet in sheets for part in (sheet.noise, sheet.released)}
    assert sizes == {(8 * 17 - 1, 16)}


def card(group: str, name: str) -> list[str]:
    if name != "sem":
        raise UserError("no such name")
    return [f"{name}: what it is", "  budget     l-inf 8/255", "  differs    from the official", " " * 13 + "code", ""]


def test_a_method_has_a_portrait_of_what_breaks_it_what_it_costs_and_its_card(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=STRONG))
    rows = ranking(results, _chapter(results))
    sem, em = portraits.methods(rows, results, card)
    assert (sem.title, sem.summary) == ("SEM", "1 of 2; 31.0 % under attack 3")
    assert sem.card == [
        ("what it does", "what it is"),
        ("budget", "l-inf 8/255"),
        ("differs", "from the official code"),
    ]
    assert dict(sem.facts)["visible as"] == "8 steps of 1/255 at most; 1.00 l2 on average; 31.0 dB PSNR"
    assert em.card == []
    assert dict(em.facts)["broken by"] == "attack 3"
    assert em.table.rows[0].entries[0].value == "attack 3"


def test_an_attack_has_a_portrait_of_what_it_breaks(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=STRONG))
    first, *others = portraits.attacks(ranking(results, _chapter(results)), results, None)
    assert (first.title, first.summary) == ("attack 3", "breaks 1 of 2 methods")
    assert dict(first.facts) == {
        "breaks": "EM",
        "assumes": "nothing but the released images and their labels",
        "cost": "1.0 times the passes of plain training",
    }
    assert [one.summary for one in others] == ["breaks 0 of 2 methods"] * 6
