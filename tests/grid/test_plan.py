"""Plans: the words of a table, and the name a plan is kept under."""

from pathlib import Path
from typing import Any

import pytest

from bench.grid.cell import Choice
from bench.grid.condition import Variant
from bench.grid.expand import read_grid
from bench.grid.plan import Plan, plan_name, plan_of
from bench.grid.plug_ins import TABLES
from bench.grid.scale import Scale, read_assignments
from tests.builders import plain

GRID = """\
title: Words
datasets: [cifar10]
models: [cnn]
methods: {methods}
attacks: {attacks}
controls: false
"""
DOUBLED = Scale(multiply={"radius": 2, "adv_radius": 2}, datasets={"cifar10": {"size": 16}})


def plan(folder: Path, methods: str, attacks: str = "[none]", assignments: tuple[str, ...] = ()) -> tuple[str, Plan]:
    """The name and the plan of a grid at a scale that doubles radii."""
    (folder / "words.yaml").write_text(GRID.format(methods=methods, attacks=attacks))
    user = read_assignments(list(assignments))
    grid = read_grid(folder / "words.yaml", {"small": DOUBLED}, "small", user, folder)
    return plan_name(grid, "small", user), plan_of(grid, "words.yaml", "small", DOUBLED, user)


@pytest.mark.parametrize(
    ("methods", "label", "words"),
    [
        ("[sem]", "sem", {"title": "SEM", "paper": "SEM 8/255", "hint": ""}),
        ("[{name: random, wise: class}]", "random wise=class", {"title": "random, class-wise"}),
        ("[{name: random_l2, l2_radius: 1.3042}]", "random_l2 l2_radius=1.3042", {"title": "random, l2 1.30"}),
        ("[{name: rem, noise_step: fgsm}]", "rem noise_step=fgsm", {"title": "REM, FGSM in the noise step"}),
        (
            "[{name: em, radius: 4/255, steps: 7}]",
            "em radius=8/255 steps=7",
            {"title": "EM, original 8/255, 7 steps", "paper": "EM, original 4/255, 7 steps", "hint": "4/255"},
        ),
    ],
)
def test_tables_say_a_method_and_its_settings_in_words(
    methods: str, label: str, words: dict[str, str], tmp_path: Path
) -> None:
    _, made = plan(tmp_path, methods)
    assert [place["method"] for place in made["conditions"]] == [label]
    assert words.items() <= made["titles"][label].items()


def test_tables_say_a_stack_in_the_order_of_application(tmp_path: Path) -> None:
    _, made = plan(tmp_path, "[sem]", "[[median, {name: pgd, radius: 4/255}]]")
    words = {"title": "median filter + PGD 8/255", "paper": "median filter + PGD 4/255", "hint": "4/255"}
    assert made["titles"]["median + pgd radius=8/255"] == words


def test_a_control_says_what_it_changes(tmp_path: Path) -> None:
    grid = GRID.replace("controls: false\n", "").format(methods="[sem]", attacks="[orthogonal_projection]")
    (tmp_path / "words.yaml").write_text(grid)
    expanded = read_grid(tmp_path / "words.yaml", {"small": DOUBLED}, "small", Scale(), tmp_path)
    titles = plan_of(expanded, "words.yaml", "small", DOUBLED, Scale())["titles"]
    control = "orthogonal_projection directions=random"
    assert titles[control]["title"] == "orthogonal projection, random directions"
    assert titles["random"] == {"title": "random", "paper": "random 8/255", "hint": ""}


def test_settings_of_the_user_give_the_plan_a_name_of_its_own(tmp_path: Path) -> None:
    name, made = plan(tmp_path, "[sem]")
    other, changed = plan(tmp_path, "[sem]", assignments=("train.steps=7",))
    assert name == "words-small"
    assert other.startswith("words-small-")
    assert len(other) == len(name) + 7
    assert (made["set"], changed["set"]) == ({}, {"train": {"steps": 7}})


def plug_ins() -> list[tuple[str, Any]]:
    return [(name, plain(kind)) for group in ("methods", "attacks") for name, kind in TABLES[group].items()]


@pytest.mark.parametrize(("name", "settings"), plug_ins())
def test_no_title_of_a_plug_in_holds_code(name: str, settings: Any) -> None:
    shown = tuple(type(settings).model_fields)
    title = Variant(Choice(name, settings), Choice(name, settings), shown).title
    assert not set("_=[]{}") & set(title)
    assert "None" not in title


def test_no_two_plug_ins_have_one_label() -> None:
    assert not set(TABLES["methods"]) & set(TABLES["attacks"])


def test_a_plan_says_in_what_its_cells_are_not_what_its_labels_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacks = "[[{name: jpeg, quality: 10}, gray]]"
    assert all(
        not {"spared", "replaced"} & one.keys() for one in plan(tmp_path, "[clean, sc]", attacks)[1]["conditions"]
    )
    monkeypatch.setattr(TABLES["attacks"]["gray"], "spares_clean", True)
    monkeypatch.setattr(TABLES["attacks"]["jpeg"], "content", lambda *_: {"quality": "ten"})
    clean, protected = plan(tmp_path, "[clean, sc]", attacks)[1]["conditions"]
    assert (clean.get("spared"), protected.get("spared")) == (True, None)
    assert protected["replaced"] == ["quality"]
