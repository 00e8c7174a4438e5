"""How many noises a grid has of each method: of all, of a block, and what a scale makes of both."""

import re
from pathlib import Path

import pytest

from bench.core.errors import UserError
from bench.grid.expand import Grid
from bench.grid.scale import Scale
from tests.grid.test_expand import ALONE, HEAD, expand

SWEEP = "{name: em, radius: [4/255, 8/255]}"
REPEATED = (
    ALONE
    + f"methods: [{SWEEP}, rem]\nattacks: [none, pgd]\nseeds: 2\nscalable: true\n"
    + "also: [{methods: [{name: em, radius: 8/255}, sem], attacks: [pgd], noise_seeds: 3}]\n"
)


def noises(grid: Grid) -> dict[tuple[str, str], int]:
    return {(one.method.label, one.attack_label): one.noises for one in grid.conditions if not one.measure}


def test_every_noise_has_victims_of_its_own_but_clean_images_are_the_same(tmp_path: Path) -> None:
    text = ALONE + "methods: [clean, em]\nattacks: [none]\nseeds: 2\nnoise_seeds: 3\n"
    clean, em = expand(tmp_path, text).conditions
    assert [(cell.noise_seed, cell.seed) for cell in clean.cells] == [(0, 0), (0, 1)]
    assert [(cell.noise_seed, cell.seed) for cell in em.cells] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert (clean.noises, em.noises) == (1, 3)
    assert len({cell.key for cell in em.cells}) == 6
    _, fewer = expand(tmp_path, text, user=Scale(noise_seeds=1)).conditions
    assert [cell.key for cell in fewer.cells] == [cell.key for cell in em.cells[:2]]


def test_what_a_block_writes_again_has_the_noises_of_the_block_and_stands_where_it_stood(tmp_path: Path) -> None:
    grid = expand(tmp_path, REPEATED)
    assert list(noises(grid).items()) == [
        (("em radius=4/255", "none"), 1),
        (("em radius=4/255", "pgd"), 1),
        (("em radius=8/255", "none"), 1),
        (("em radius=8/255", "pgd"), 3),
        (("rem", "none"), 1),
        (("rem", "pgd"), 1),
        (("sem", "pgd"), 3),
    ]
    assert len(grid.conditions) == 7  # none of them twice
    assert len(grid.cells) == (5 * 1 + 2 * 3) * 2


def test_a_block_without_attacks_meets_those_of_the_grid_at_the_scale(tmp_path: Path) -> None:
    text = ALONE + "methods: [em, rem]\nattacks: [none, pgd]\nalso: [{methods: [rem, sem], noise_seeds: 3}]\n"
    text += "at: {tiny: {attacks: [gray]}}\n"
    attacks = "none", "pgd"
    expected = {"em": 1, "rem": 3, "sem": 3}
    assert noises(expand(tmp_path, text)) == {(one, attack): expected[one] for one in expected for attack in attacks}
    assert noises(expand(tmp_path, text, "tiny")) == {(one, "gray"): expected[one] for one in expected}


def test_a_block_of_fewer_noises_takes_none_away(tmp_path: Path) -> None:
    text = ALONE + "methods: [em]\nattacks: [none]\nnoise_seeds: 2\nalso: [{methods: [em, rem], attacks: [none]}]\n"
    assert set(noises(expand(tmp_path, text)).values()) == {2}
    text = text.replace("attacks: [none]}", "attacks: [none], noise_seeds: 1}")
    assert noises(expand(tmp_path, text)) == {("em", "none"): 2, ("rem", "none"): 1}


@pytest.mark.parametrize(
    ("at", "user", "expected", "said"),
    [
        ("", Scale(), 1, ["noise_seeds 3 -> 1"]),
        ("", Scale(noise_seeds=2), 2, []),
        ("at: {tiny: {noise_seeds: 2}}\n", Scale(), 2, ["noise_seeds 3 -> 1"]),
        ("at: {tiny: {also: [{methods: [em], attacks: [none], noise_seeds: 4}]}}\n", Scale(), 4, []),
        ("at: {tiny: {also: [{methods: [em], attacks: [none], noise_seeds: 4}]}}\n", Scale(noise_seeds=2), 2, []),
    ],
)
def test_a_scale_replaces_the_noises_of_a_block_as_those_of_the_grid(
    tmp_path: Path, at: str, user: Scale, expected: int, said: list[str]
) -> None:
    scales = {"tiny": Scale(noise_seeds=1)}
    grid = expand(tmp_path, REPEATED + at, "tiny", user, scales)
    assert max(noises(grid).values()) == expected
    assert list(grid.replaced) == said


def test_controls_have_the_noises_of_the_whole_grid(tmp_path: Path) -> None:
    text = REPEATED.replace("controls: false\n", "noise_seeds: 2\n")
    found = noises(expand(tmp_path, text))
    assert {count for (method, _), count in found.items() if method.startswith("random")} == {2}
    assert found["clean", "pgd"] == 1  # draws nothing
    assert found["sem", "pgd"] == 3


def test_the_control_that_an_attack_names_has_the_noises_that_it_is_compared_with(tmp_path: Path) -> None:
    block = "also: [{methods: [sem], attacks: [orthogonal_projection], noise_seeds: %d}]\n"
    text = HEAD + "methods: [em]\nattacks: [orthogonal_projection]\nnoise_seeds: 2\n"
    for count in (1, 3):
        found = noises(expand(tmp_path, text + block % count))
        attacks = "orthogonal_projection", "orthogonal_projection directions=random"
        assert {found["sem", attack] for attack in attacks} == {count}
        assert {found["em", attack] for attack in attacks} == {2}


def test_settings_in_another_order_are_the_same_place(tmp_path: Path) -> None:
    first, second = "{name: sem, steps: 2, radius: 8/255}", "{name: sem, radius: 8/255, steps: 2}"
    text = (
        ALONE
        + f"methods: [{first}]\nattacks: [none]\nalso: [{{methods: [{second}], attacks: [none], noise_seeds: 3}}]\n"
    )
    assert noises(expand(tmp_path, text)) == {("sem steps=2 radius=8/255", "none"): 3}


def test_what_a_file_is_like_keeps_the_noises_of_its_blocks_at_a_scale(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(REPEATED)
    grid = expand(tmp_path, "like: base\ntitle: t\nnoise_seeds: 1\n", "tiny", scales={"tiny": Scale(noise_seeds=1)})
    assert set(noises(grid).values()) == {1}
    assert list(grid.replaced) == ["noise_seeds 3 -> 1"]


@pytest.mark.parametrize("controls", ["false", "true"])
@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{methods: [{name: em, surrogate: timm/test_vit}], attacks: [none]}", "grid.yaml: also[0].methods: "),
        ("{methods: [em], attacks: [[{name: pretrained, network: timm/test_vit}]]}", "grid.yaml: also[0].attacks"),
    ],
)
def test_a_misfit_is_told_where_it_is_written(controls: str, block: str, expected: str, tmp_path: Path) -> None:
    text = ALONE.replace("[synthetic]", "[{name: synthetic, size: 8}]").replace("false", controls)
    with pytest.raises(UserError, match=re.escape(expected)):
        expand(tmp_path, text + f"methods: [em]\nattacks: [none]\nalso: [{block}]\n")


def test_every_noise_of_a_method_is_measured_whichever_block_asks_for_it(tmp_path: Path) -> None:
    text = (
        ALONE
        + "methods: [em, sem]\nattacks: [none]\nmeasures: [delusiveness]\n"
        + "also: [{methods: [em], attacks: [none], noise_seeds: 3}, {methods: [em], attacks: [pgd]}]\n"
    )
    measured = [one for one in expand(tmp_path, text).conditions if one.measure]
    assert [(one.method.label, [cell.noise_seed for cell in one.cells]) for one in measured] == [
        ("em", [0, 1, 2]),
        ("sem", [0]),
    ]


def test_a_method_that_is_written_in_two_ways_is_measured_once_and_has_it_in_both_rows(tmp_path: Path) -> None:
    text = ALONE + "methods: [{name: sem, updates: [500, 5000]}, {name: sem, samples: [2, 5]}]\nattacks: [none]\n"
    measured = [one for one in expand(tmp_path, text + "measures: [delusiveness]\n").conditions if one.measure]
    assert [one.method.label for one in measured] == [
        "sem updates=500",
        "sem updates=5000",
        "sem samples=2",
        "sem samples=5",
    ]
    assert measured[1].cells == measured[3].cells
    assert len({cell.key for one in measured for cell in one.cells}) == 3


def test_a_measure_is_counted_once_for_each_noise(tmp_path: Path) -> None:
    names = ", ".join(f"{{name: stability, adv_steps: {count}}}" for count in range(1, 60))
    text = ALONE + f"methods: [clean, em]\nattacks: [{{name: pgd, steps: {list(range(1, 51))}}}]\nmeasures: [{names}]\n"
    text += "seeds: 1\nalso: [{methods: [em], attacks: [none], noise_seeds: 8}]\n"
    grid = expand(tmp_path, text)
    assert sum(len(one.cells) for one in grid.conditions if one.measure) == 59 * (1 + 8)


def test_the_count_of_cells_knows_the_noises_of_blocks(tmp_path: Path) -> None:
    text = ALONE + "methods: [em]\nattacks: [none]\nalso: [{methods: [em], attacks: [none], noise_seeds: 50000}]\n"
    with pytest.raises(UserError, match="cells"):
        expand(tmp_path, text)
