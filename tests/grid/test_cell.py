"""Identity by content: what changes a key, and what does not."""

from dataclasses import replace

from attacks import ATTACKS
from bench.core.datasets import DATASETS
from bench.core.settings import digest
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from methods import METHODS


def cell() -> Cell:
    return Cell(
        dataset=Choice("synthetic", DATASETS["synthetic"]()),
        fingerprint="",
        model="cnn",
        method=Choice("em", METHODS["em"]()),
        attacks=(Choice("pgd", ATTACKS["pgd"]()),),
        train=Recipe(),
        seed=0,
        noise_seed=0,
    )


def test_a_default_that_is_spelled_out_is_the_same_cell() -> None:
    spelled = replace(cell(), method=Choice("em", METHODS["em"](**METHODS["em"]().model_dump())))
    assert spelled.key == cell().key


def test_every_setting_makes_another_cell() -> None:
    others = [
        replace(cell(), seed=1),
        replace(cell(), model="resnet18"),
        replace(cell(), fingerprint="another folder"),
        replace(cell(), train=Recipe(steps=1)),
        replace(cell(), attacks=()),
        replace(cell(), attacks=(Choice("pgd", ATTACKS["pgd"](steps=1)),)),
        replace(cell(), method=Choice("em", METHODS["em"](steps=1))),
        replace(cell(), noise_seed=1),
    ]
    assert len({other.key for other in [*others, cell()]}) == len(others) + 1


def test_noise_is_shared_by_attacks_models_recipes_and_seeds() -> None:
    shared = [
        replace(cell(), seed=1),
        replace(cell(), model="resnet18"),
        replace(cell(), attacks=()),
        replace(cell(), train=Recipe(steps=1)),
    ]
    assert {other.noise_key for other in shared} == {cell().noise_key}
    assert replace(cell(), noise_seed=1).noise_key != cell().noise_key
    assert replace(cell(), fingerprint="another folder").noise_key != cell().noise_key


def test_a_new_revision_of_a_plug_in_is_a_new_cell() -> None:
    revised = type("Em", (METHODS["em"],), {"revision": 2, "__module__": __name__})
    assert replace(cell(), method=Choice("em", revised())).key != cell().key


def test_the_key_does_not_depend_on_the_order_of_the_settings() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
