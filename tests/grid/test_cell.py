"""Identity by content: what changes a key, and what does not."""

from dataclasses import replace

import pytest

from attacks import ATTACKS
from attacks.ueraser import UeraserLite
from bench.core.adversary import pgd, tpgd
from bench.core.augment import flip_crop, flip_resized_crop, flip_translate
from bench.core.datasets import DATASETS
from bench.core.networks import cnn, two_linear, vgg16
from bench.core.settings import digest
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from methods import METHODS
from methods.error_minimizing import ErrorMinimizing
from methods.sem import Sem
from tests import builders
from tests.methods.test_contract_of_methods import MAKERS


def cell() -> Cell:
    """EM against PGD, as the paper has them."""
    return replace(builders.cell(METHODS["em"](), attacks=(ATTACKS["pgd"](),)), train=Recipe())


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


ALL = {name: Choice(name, METHODS[name]()) for name in MAKERS} | {
    name: Choice(name, ATTACKS[name]()) for name in ATTACKS
}


def changed_by(monkeypatch: pytest.MonkeyPatch, part: object) -> set[str]:
    """Which plug-ins another revision of a part makes others."""
    before = {name: choice.canonical() for name, choice in ALL.items()}
    monkeypatch.setattr(part, "revision", 2)
    return {name for name, choice in ALL.items() if choice.canonical() != before[name]}


def test_a_new_revision_of_a_plug_in_is_one_of_all_that_derive_from_it_or_use_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert changed_by(monkeypatch, UeraserLite) == {"ueraser_lite", "ueraser", "ueraser_max"}
    assert changed_by(monkeypatch, ErrorMinimizing) == {"error_minimizing", "em_stepwise", "rem", "sem"}
    assert changed_by(monkeypatch, Sem) == {"sem"}
    assert ALL["sem"].canonical()["revision"] == 3
    assert ALL["ueraser_max"].canonical()["revisions"] == {"UeraserLite": 2}


@pytest.mark.parametrize(
    ("part", "users"),
    [
        (tpgd, {"tpgd", "tpgd_l2", "trades"}),
        (pgd, {"pgd", "pgd_l2", "fgsm", "fgsm_l2", "rem", "sem"}),
        (flip_translate, {"tap"}),
        (vgg16, {"hypo"}),
        (two_linear, {"pil"}),
    ],
)
def test_a_new_revision_of_a_part_is_one_of_every_plug_in_that_uses_it(
    part: object, users: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changed_by(monkeypatch, part) == users


def test_new_crops_are_new_victims_and_new_noise_only_of_methods_that_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    cropping = replace(cell(), method=ALL["sem"])
    keys = cell().key, cell().noise_key, cropping.noise_key
    monkeypatch.setattr(flip_crop, "revision", 2)
    assert cell().key != keys[0]
    assert cell().noise_key == keys[1]
    assert replace(cropping).noise_key != keys[2]


def test_new_resized_crops_are_new_cells_of_large_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(size: int) -> tuple[str, str]:
        one = replace(cell(), dataset=Choice("facescrub", DATASETS["facescrub"](path="faces", size=size)))
        return one.key, one.noise_key

    small, large = keys(95), keys(96)
    monkeypatch.setattr(flip_resized_crop, "revision", 2)
    assert keys(95) == small
    assert not {*keys(96)} & {*large}


def test_a_new_revision_of_the_victims_network_is_a_new_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = cell().key, replace(cell(), model="vgg16").key
    monkeypatch.setattr(cnn, "revision", 2)
    assert cell().key != keys[0]
    assert replace(cell(), model="vgg16").key == keys[1]


def test_a_narrower_network_is_a_cell_of_its_own_and_has_the_revision_of_the_full_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [replace(cell(), model=name).key for name in ("vgg16", "vgg16/8", "vgg16/4")]
    assert len(set(keys)) == 3
    monkeypatch.setattr(vgg16, "revision", 2)
    assert not {replace(cell(), model=name).key for name in ("vgg16", "vgg16/8", "vgg16/4")} & {*keys}


def test_the_key_does_not_depend_on_the_order_of_the_settings() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
