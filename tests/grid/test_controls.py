"""Controls: what a grid adds by itself, with which budgets, and that nothing is run twice."""

from pathlib import Path

import pytest
import torch

from attacks.orthogonal_projection import OrthogonalProjection
from attacks.partial_poisoning import PartialPoisoning
from bench.core.session import Session
from bench.grid.expand import Grid, read_grid
from bench.grid.scale import Scale, read_assignments
from tests.conftest import MadeUp

HEAD = "title: t\ndatasets: [cifar10]\nmodels: [cnn]\nseeds: 1\n"
SCALES = {"paper": Scale(), "small": Scale(multiply={"radius": 2.0}, datasets={"cifar10": {"size": 16}})}


def expand(folder: Path, methods: str, attacks: str, rest: str = "", scale: str = "paper", *sets: str) -> Grid:
    file = folder / "grid.yaml"
    file.write_text(f"{HEAD}methods: {methods}\nattacks: {attacks}\n{rest}")
    return read_grid(file, SCALES, scale, read_assignments(list(sets)), folder)


def places(grid: Grid) -> list[tuple[str, str]]:
    return [(condition.method.label, condition.attack_label) for condition in grid.conditions]


def methods_of(grid: Grid) -> list[str]:
    return list(dict.fromkeys(method for method, _ in places(grid)))


def test_every_stack_is_also_run_on_clean_images_and_on_random_noise_and_these_come_first(tmp_path: Path) -> None:
    grid = expand(tmp_path, "[em]", "[none, [median, pgd]]")
    expected = [(method, attack) for method in ("clean", "random", "em") for attack in ("none", "median + pgd")]
    assert places(grid) == expected
    assert [condition.is_control for condition in grid.conditions] == [True] * 4 + [False] * 2


def test_controls_are_switched_off_for_all_scales_or_for_one(tmp_path: Path) -> None:
    assert methods_of(expand(tmp_path, "[em]", "[none]", "controls: false\n")) == ["em"]
    off = "at: {small: {controls: false}}\n"
    assert methods_of(expand(tmp_path, "[em]", "[none]", off)) == ["clean", "random", "em"]
    assert methods_of(expand(tmp_path, "[em]", "[none]", off, "small")) == ["em"]


def test_what_the_file_writes_itself_is_not_added_again_but_moved_to_the_top(tmp_path: Path) -> None:
    grid = expand(tmp_path, "[em, {name: random, radius: 8/255}, sem, clean]", "[none, pgd]")
    assert methods_of(grid) == ["clean", "random radius=8/255", "em", "sem"]
    assert len(grid.conditions) == len(grid.cells) == 8


def test_each_budget_has_its_noise_in_its_norm_and_what_has_none_has_clean_images_alone(tmp_path: Path) -> None:
    assert methods_of(expand(tmp_path, "[em, {name: em, radius: [4/255, 16/255]}, rem]", "[none]"))[:4] == [
        "clean",
        "random",
        "random radius=4/255",
        "random radius=16/255",
    ]
    assert methods_of(expand(tmp_path, "[ar, {name: ar, l2_radius: 0.7}]", "[none]"))[:3] == [
        "clean",
        "random_l2 l2_radius=1.0",
        "random_l2 l2_radius=0.7",
    ]
    assert methods_of(expand(tmp_path, "[sc]", "[none]"))[:2] == ["clean", "random_l2 l2_radius=1.3041"]
    assert methods_of(expand(tmp_path, "[ops, cuda]", "[none]")) == ["clean", "ops", "cuda"]
    assert methods_of(expand(tmp_path, "[clean]", "[none]")) == ["clean"]
    assert methods_of(expand(tmp_path, "[{name: em, radius: 0.4/255}]", "[none]"))[:-1] == ["clean"]


def test_methods_of_one_budget_share_their_controls(tmp_path: Path) -> None:
    grid = expand(tmp_path, "[em, rem, sem]", "[none, pgd]")
    assert len(grid.conditions) == len(set(places(grid))) == 2 * (2 + 3)


def test_noise_of_one_pattern_for_a_class_comes_with_methods_that_have_one(tmp_path: Path) -> None:
    grid = expand(tmp_path, "[em, em_class]", "[none]")
    assert methods_of(grid) == ["clean", "random", "random wise=class", "em", "em_class"]
    assert methods_of(expand(tmp_path, "[{name: hypo, variant: p3}]", "[none]"))[:2] == [
        "clean",
        "random_l2 l2_radius=0.5",
    ]


@pytest.mark.parametrize(
    ("methods", "setting", "at_scale", "on_paper"),
    [
        ("[em]", "radius", 16 / 255, 8 / 255),
        ("[{name: em, radius: 3/255}]", "radius", 6 / 255, 3 / 255),
        ("[sc]", "l2_radius", 1.3041, 1.3041),  # half the side, twice the amplitude
        ("[{name: sc, radius: 3/255}]", "l2_radius", 0.6521, 0.6521),
        ("[ar]", "l2_radius", 1.0, 1.0),
    ],
)
def test_the_budget_is_that_of_the_method_at_the_scale_and_on_paper(
    methods: str, setting: str, at_scale: float, on_paper: float, tmp_path: Path
) -> None:
    control = expand(tmp_path, methods, "[none]", scale="small").conditions[1].method
    assert getattr(control.choice.settings, setting) == at_scale
    assert getattr(control.paper.settings, setting) == on_paper


def test_the_budget_follows_what_the_user_sets(tmp_path: Path) -> None:
    control = expand(tmp_path, "[em]", "[none]", "", "small", "methods.em.radius=10/255").conditions[1].method
    assert (control.choice.settings.radius, control.paper.settings.radius) == (10 / 255, 8 / 255)


def test_a_block_has_controls_for_its_own_methods_and_attacks(tmp_path: Path) -> None:
    grid = expand(tmp_path, "[em]", "[none]", "also: [{methods: [ar], attacks: [gray]}]\n")
    assert places(grid) == [
        ("clean", "none"),
        ("clean", "gray"),
        ("random", "none"),
        ("random_l2 l2_radius=1.0", "gray"),
        ("em", "none"),
        ("ar", "gray"),
    ]


def attacks_on(grid: Grid, method: str) -> list[str]:
    return [attack for name, attack in places(grid) if name == method]


def test_an_attack_brings_controls_of_its_own_on_clean_images_and_on_protected_ones_if_it_uses_them(
    tmp_path: Path,
) -> None:
    attacks = "[[{name: partial_poisoning, protected: [0.2, 0.4]}, pgd], orthogonal_projection]"
    grid = expand(tmp_path, "[em]", attacks)
    written = [
        "partial_poisoning protected=0.2 + pgd",
        "partial_poisoning protected=0.4 + pgd",
        "orthogonal_projection",
    ]
    random_directions = "orthogonal_projection directions=random"
    assert attacks_on(grid, "random") == written
    assert attacks_on(grid, "em") == [*written, random_directions]
    assert attacks_on(grid, "clean") == [
        *written,
        "partial_poisoning protected=0.2 clean_part_only=True + pgd",
        "partial_poisoning protected=0.4 clean_part_only=True + pgd",
        random_directions,
    ]


def own_controls(grid: Grid) -> dict[tuple[str, str], list[tuple[str, str]]]:
    return {
        place: [(control.method.label, control.attack_label) for control in condition.own_controls]
        for place, condition in zip(places(grid), grid.conditions, strict=True)
    }


def test_a_condition_knows_the_controls_that_its_attacks_name_where_the_grid_has_them(tmp_path: Path) -> None:
    attacks = "[[{name: partial_poisoning, protected: 0.2}, orthogonal_projection], pgd]"
    own = own_controls(expand(tmp_path, "[em]", attacks))
    stack = "partial_poisoning protected=0.2 + orthogonal_projection"
    clean_part = ("clean", "partial_poisoning protected=0.2 clean_part_only=True + orthogonal_projection")
    assert own["em", stack] == [clean_part, ("em", f"{stack} directions=random")]
    assert own["clean", stack] == [clean_part, ("clean", f"{stack} directions=random")]
    assert own["random", stack] == [clean_part]
    assert own["em", "pgd"] == own[clean_part] == []
    off = own_controls(expand(tmp_path, "[em]", attacks, "controls: false\n"))
    assert set(off) == {("em", stack), ("em", "pgd")}
    assert not any(off.values())


def test_early_stopping_is_beside_training_on_as_many_clean_images_as_it_holds_out(tmp_path: Path) -> None:
    own = own_controls(expand(tmp_path, "[em]", "[[{name: early_stopping, validation: 0.05}, pgd]]"))
    control = ("clean", "partial_poisoning protected=0.95 clean_part_only=True + pgd")
    assert own["em", "early_stopping validation=0.05 + pgd"] == [control]
    # In a stack with partial poisoning the control would decide twice what is released, which means nothing.
    both = own_controls(expand(tmp_path, "[em]", "[[early_stopping, partial_poisoning]]"))
    other = ("clean", "early_stopping + partial_poisoning clean_part_only=True")
    assert both["em", "early_stopping + partial_poisoning"] == [other]


def test_a_control_written_in_the_file_is_the_same_cell_and_brings_no_other(tmp_path: Path) -> None:
    written = expand(
        tmp_path,
        "[clean]",
        "[{name: partial_poisoning, clean_part_only: true}, {name: orthogonal_projection, directions: random}]",
    )
    assert len(written.conditions) == 2
    added = expand(tmp_path, "[em]", "[partial_poisoning, orthogonal_projection]")
    assert {cell.key for cell in written.cells} <= {cell.key for cell in added.cells}


def test_clean_images_are_not_mixed_with_clean_images_but_share_the_cells_of_the_rest(tmp_path: Path) -> None:
    grid = expand(tmp_path, "[em]", "[none, pgd, partial_poisoning, [partial_poisoning, pgd]]")
    cells = {place: condition.cells for place, condition in zip(places(grid), grid.conditions, strict=True)}
    assert cells["clean", "partial_poisoning"] == cells["clean", "none"]
    assert cells["clean", "partial_poisoning + pgd"] == cells["clean", "pgd"]
    assert cells["em", "partial_poisoning"] != cells["em", "none"]
    alone = expand(tmp_path, "[em]", "[partial_poisoning]")
    assert alone.conditions[0].cells == cells["clean", "none"]


def test_partial_poisoning_leaves_clean_images_as_they_are_unless_it_is_the_control(made_up: MadeUp) -> None:
    clean = made_up([0, 1] * 20)
    for attack in (PartialPoisoning(protected=0.5), PartialPoisoning(protected=0.5, stratified=False)):
        assert attack.spares_clean
        assert torch.equal(attack.prepare(clean, clean, Session(0, torch.device("cpu"))).images, clean.images)
    [control] = PartialPoisoning(protected=0.5).controls()
    assert not control.spares_clean
    assert len(control.prepare(clean, clean, Session(0, torch.device("cpu")))) == 20
    assert not control.controls()


def test_the_controls_of_an_attack_keep_its_other_settings() -> None:
    [control] = OrthogonalProjection(epochs=3).controls()
    assert control == OrthogonalProjection(epochs=3, directions="random")
    [control] = PartialPoisoning(protected=0.3, stratified=False).controls()
    assert control == PartialPoisoning(protected=0.3, stratified=False, clean_part_only=True)


def test_what_is_declined_asks_for_no_controls(tmp_path: Path) -> None:
    assert methods_of(expand(tmp_path, "[em, {name: sc, patch: 3}]", "[none]")) == [
        "clean",
        "random",
        "em",
        "sc patch=3",
    ]
