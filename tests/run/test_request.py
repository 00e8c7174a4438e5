"""What a user asked to run: filters, and the plans that are written beside the records."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import UserError
from bench.run.request import Request
from bench.store import Store
from tests.grid.test_controls import HEAD


def request(folder: Path, **changes: Any) -> Request:
    (folder / "scales.yaml").write_text("paper: {}\n")
    (folder / "grid.yaml").write_text(HEAD + "methods: [em, sem]\nattacks: [none, early_stopping]\n")
    settings: dict[str, Any] = {"scale": "paper", "assignments": (), "only": (), "seeds": None, "noise_seeds": None}
    settings |= {"jobs": 1, "device": "cpu", "data_root": folder, "results": folder, "cluster": ""}
    return Request((folder / "grid.yaml",), **(settings | {"retry_failed": False} | changes))


def test_filters_take_every_name_that_tables_print_however_it_is_spaced(tmp_path: Path) -> None:
    grid = (
        HEAD
        + "methods: [em_stepwise]\nattacks: [{name: pgd, radius: 4/255}]\nmeasures: [noise_robustness, delusiveness]\n"
    )
    for wanted in ("measure=R_delta_u", "measure=noise_robustness", "measure=  r_delta_u "):
        asked = request(tmp_path, only=(wanted,))
        (tmp_path / "grid.yaml").write_text(grid)
        assert {cell.measure.name for cell in asked.cells if cell.measure} == {"noise_robustness"}
    asked = request(tmp_path, only=("attack=PGD  4/255", "method=em,  sem Repository"))
    (tmp_path / "grid.yaml").write_text(grid)
    assert {cell.method.name for cell in asked.cells} == {"em_stepwise"}


def test_a_number_of_seeds_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--set noise_seeds: --noise-seeds sets it too; leave one of them out"):
        _ = request(tmp_path, assignments=("noise_seeds=2",), noise_seeds=3).user


def test_a_grid_whose_plan_could_have_no_name_is_refused(tmp_path: Path) -> None:
    asked = request(tmp_path)
    long = (tmp_path / "grid.yaml").rename(tmp_path / f"{'n' * 240}.yaml")
    with pytest.raises(UserError, match=r"names its plan, and is longer than 200 bytes; shorten it"):
        _ = replace(asked, grids=(long,)).cells


def test_only_what_is_wanted_is_said_not_to_apply(tmp_path: Path) -> None:
    asked = request(tmp_path)
    (tmp_path / "grid.yaml").write_text(HEAD + "methods: [em, sc]\nattacks: [none]\nmeasures: [surrogate_robustness]\n")
    assert any("surrogate_robustness of sc" in reason for reason in asked.declined)
    em = request(tmp_path, only=("method=em",))
    (tmp_path / "grid.yaml").write_text(HEAD + "methods: [em, sc]\nattacks: [none]\nmeasures: [surrogate_robustness]\n")
    assert em.declined == []


def test_what_a_measure_needs_of_the_data_is_known_before_any_noise_is_made(tmp_path: Path) -> None:
    asked = request(tmp_path)
    measures = "measures: [{name: separability, images: 60000, neighbours: 45000}]\n"
    (tmp_path / "grid.yaml").write_text(HEAD + "methods: [sc]\nattacks: [none]\n" + measures)
    assert any("separability of sc: neighbours: must be at most" in reason for reason in asked.declined)


def test_filters_hold_for_controls_as_for_all_else(tmp_path: Path) -> None:
    assert {cell.method.name for cell in request(tmp_path, only=("method=sem",)).cells} == {"sem"}
    assert {cell.method.name for cell in request(tmp_path, only=("method=random",)).cells} == {"random"}
    stopping = request(tmp_path, only=("attack=early_stopping",)).cells
    assert [cell.method.name for cell in stopping] == ["clean", "random", "em", "sem"]


def test_filters_take_the_words_of_tables_in_any_case(tmp_path: Path) -> None:
    assert {cell.method.name for cell in request(tmp_path, only=("method=SEM", "method=em")).cells} == {"em", "sem"}
    by_title = request(tmp_path, only=("attack=Early Stopping",)).cells
    assert by_title == request(tmp_path, only=("attack=early_stopping",)).cells
    (tmp_path / "more.yaml").write_text(HEAD + "methods: [sem]\nattacks: [[median, pgd], {name: pgd, radius: 4/255}]\n")
    for only, attacks in (("PGD 4/255", ["pgd"]), ("median filter + pgd", ["median", "pgd"])):
        asked = replace(request(tmp_path, only=(f"attack={only}",)), grids=(tmp_path / "more.yaml",))
        assert {tuple(attack.name for attack in cell.attacks) for cell in asked.cells} == {tuple(attacks)}


def test_a_noise_is_picked_by_its_seed(tmp_path: Path) -> None:
    asked = request(tmp_path, only=("method=sem", "seed=1", "noise_seed=2"), seeds=2, noise_seeds=3)
    assert {(cell.method.name, cell.seed, cell.noise_seed) for cell in asked.cells} == {("sem", 1, 2)}
    assert len(request(tmp_path, only=("noise_seed=2",), seeds=2, noise_seeds=3).cells) == 3 * 2 * 2


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (("method=smm",), "--only method=smm: no such method in the grid; did you mean 'sem'?"),
        (("attack=",), "--only attack: the value is empty"),
        (("method= ",), "--only method: the value is empty"),
        (("seed=9",), "--only seed=9: no such seed in the grid; choices: 0"),
        (("method=EM", "attack=partial_poisoning protected=0.9 clean_part_only=True"), "no cell of the grid is all of"),
    ],
)
def test_what_is_nowhere_in_the_grid_is_refused(tmp_path: Path, only: tuple[str, ...], expected: str) -> None:
    with pytest.raises(UserError) as raised:
        _ = request(tmp_path, only=only).cells
    assert expected in str(raised.value)


def test_an_attack_that_is_nowhere_is_refused_with_names_alone_also_beside_measures(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(HEAD + "methods: [em]\nattacks: [none]\nmeasures: [separability]\n")
    with pytest.raises(UserError, match=r"no such attack in the grid; did you mean 'none'\? \(choices: none\)$"):
        _ = replace(request(tmp_path, only=("attack=nonee",)), grids=(tmp_path / "odd.yaml",)).cells


@pytest.mark.parametrize("keep", [",", "surrogates,", ",surrogates"])
def test_an_empty_name_of_what_to_keep_is_refused(tmp_path: Path, keep: str) -> None:
    with pytest.raises(UserError, match=f"^--keep {keep}: a name is empty$"):
        _ = request(tmp_path, keep=keep).kept


def test_a_method_that_declines_the_data_says_why_it_has_no_cells(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(HEAD + "methods: [em, {name: sc, patch: 3}]\nattacks: [none]\n")
    asked = replace(request(tmp_path, only=("method=SC, patch 3",)), grids=(tmp_path / "odd.yaml",))
    with pytest.raises(UserError, match=r"^--only method=SC, patch 3: sc: patch 3 does not divide an image of 32x32"):
        _ = asked.cells


def test_the_plan_says_what_is_a_control_and_what_an_attack_assumes(tmp_path: Path) -> None:
    [plan] = request(tmp_path).plans().values()
    told = {(place["method"], place["attack"]): (place["control"], place["assumes"]) for place in plan["conditions"]}
    assert told["clean", "none"] == (True, [])
    control = "partial_poisoning protected=0.9 clean_part_only=True"
    assert told["clean", control] == (True, ["clean images"])
    assert told["sem", "early_stopping"] == (False, [])
    by_place = {(place["method"], place["attack"]): place for place in plan["conditions"]}
    assert by_place["sem", "early_stopping"]["own_controls"] == [{"method": "clean", "attack": control}]
    assert by_place["sem", "none"]["own_controls"] == []
    assert [attack for (method, attack), place in by_place.items() if method == "clean" and place["release"]] == [
        control
    ]


def write_plans(asked: Request) -> None:
    for name, plan in asked.plans().items():
        Store(asked.results).write_plan(name, plan)


def test_a_grid_that_its_user_changed_replaces_its_plan_and_no_other_grid_does(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write_plans(request(tmp_path))
    changed = request(tmp_path)
    (tmp_path / "grid.yaml").write_text(HEAD + "methods: [tap]\nattacks: [none]\n")
    write_plans(changed)
    other = request(tmp_path / "other", results=tmp_path / "results", data_root=tmp_path)
    write_plans(request(tmp_path, results=tmp_path / "results"))
    with pytest.raises(UserError, match=r"plans/grid-paper.json is the plan of grid.yaml, another grid of this name"):
        other.plans()
    (tmp_path / "results" / "plans" / "grid-paper.json").write_text('{"grid":')  # there is nothing to lose
    write_plans(request(tmp_path / "other", results=tmp_path / "results", data_root=tmp_path))
    with pytest.raises(UserError, match=r"is the plan of other/grid.yaml"):
        request(tmp_path, results=tmp_path / "results").plans()


def test_two_grids_of_one_name_do_not_run_together(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    shutil.copy(request(tmp_path).grids[0], tmp_path / "other")
    shutil.copy(tmp_path / "scales.yaml", tmp_path / "other")
    both = request(tmp_path, results=tmp_path / "results")
    pair = replace(both, grids=(tmp_path / "grid.yaml", tmp_path / "other" / "grid.yaml"))
    with pytest.raises(UserError, match=r"is the plan of grid.yaml"):
        pair.plans()


def test_plans_stay_when_a_project_moves(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    write_plans(request(tmp_path / "here", results=tmp_path / "here" / "results"))
    (tmp_path / "here").rename(tmp_path / "there")
    [plan] = request(tmp_path / "there", results=tmp_path / "there" / "results").plans().values()
    assert plan["file"] == "grid.yaml"


def test_the_scales_among_all_files_of_a_folder_are_no_grid(tmp_path: Path) -> None:
    asked = replace(request(tmp_path), grids=tuple(sorted(tmp_path.glob("*.yaml"))))
    assert asked.files == [tmp_path / "grid.yaml"]
    with pytest.raises(UserError, match=r"scales\.yaml: unknown key 'paper'"):
        _ = replace(asked, grids=(tmp_path / "scales.yaml",)).cells
