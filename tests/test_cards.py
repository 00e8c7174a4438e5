"""What a card tells of a method, of an attack and of a data set."""

import re

import pytest

from attacks import ATTACKS
from bench.core.datasets import DATASETS
from bench.core.network_names import FLAT, MODELS, divisors
from bench.core.plug_in import PlugIn
from measures import MEASURES
from methods import METHODS
from tests.commands import bench


def test_a_method_that_is_named_has_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "methods", *METHODS) == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == list(METHODS)
    for line in (
        "budget     l-inf 8/255",
        "noise      one for each image",
        "settings   radius 8/255, steps 10, rel_step_size 0.2, samples 5, views flip_crop, surrogate_views null",
        "needs      nothing",
        "cost       about 324,531 passes of 128 images on CIFAR-10",
        "source     SEM (Liu, Xu, Chen and Sun, AAAI 2024, arXiv 2311.13091)",
        "code       github.com/liuyixin-louis/Stable-Unlearnable-Example",
        "differs    the random perturbation has a radius of its own",
    ):
        assert line in cards["sem"]
    assert "budget     l2 1.413 at 3x32x32" in cards["sc"]
    assert "cost       no network\n" in cards["sc"]
    assert "cost       no network; on CIFAR-10 the time of about 2,102 passes of 128 images by a" in cards["ntga"]


def test_a_measure_that_is_named_has_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "measures", *MEASURES) == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == list(MEASURES)
    for line in ("settings   adv_radius 4/255, adv_steps 10", "numbers    R_delta_u\n", "source     SEM (Liu et al."):
        assert line in cards["noise_robustness"]
    assert "trains     no network\n" in cards["separability"]


def test_an_attack_that_is_named_has_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "attacks", *ATTACKS) == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == list(ATTACKS)
    for line in (
        "acts       on each batch, against the network",
        "assumes    nothing but the released images and labels",
        "cost       11 passes for each of plain training",
        "source     PGD (Madry et al., ICLR 2018)",
    ):
        assert line in cards["pgd"]
    assert "acts       never" in cards["none"]
    assert "cost       no further passes" in cards["none"]
    assert "cost       about 46,800 passes of 128 images on CIFAR-10, before training" in cards["dvae"]
    assert "cost       no further passes, but the time of 1.5 for each of plain training" in cards["ueraser"]


@pytest.mark.parametrize(("what", "table"), [("methods", METHODS), ("attacks", ATTACKS)])
def test_a_list_is_a_line_for_each(what: str, table: dict[str, type], capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", what) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == [what.removesuffix("s"), "in", "tables", "what", "it", "is"]
    first = [line for line in lines if line[1] != " "]
    assert [line.split()[0] for line in first] == list(table)
    named = {line.split()[0]: line for line in first}
    assert "EM, SEM repository" in named["em_stepwise"] if what == "methods" else "grayscale" in named["gray"]


@pytest.mark.parametrize(
    ("typed", "name"), [("methods SEM", "sem"), ("methods em,~sem~repository", "em_stepwise"), ("attacks PGD", "pgd")]
)
def test_a_card_is_found_by_what_tables_call_it(typed: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    group, word = typed.split()
    assert bench("list", group, word.replace("~", " "), name) == 0
    first, second = re.findall(rf"^{name}: .*$", capsys.readouterr().out, re.MULTILINE)
    assert first == second


def test_a_wrong_name_is_told_with_what_was_probably_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "methods", "semm") == 2
    assert "list methods semm: no such name; did you mean 'sem'?" in capsys.readouterr().err
    assert bench("list", "grids", "tabel3") == 2
    assert "list grids tabel3: no such name; did you mean 'table3'?" in capsys.readouterr().err
    assert bench("list", "models", "resnet81") == 2
    assert "list models resnet81: unknown model 'resnet81'; did you mean 'resnet18'?" in capsys.readouterr().err


def test_a_grid_that_is_named_says_what_it_shows_and_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "grids", "table1") == 0
    title, *about, file, _ = capsys.readouterr().out.splitlines()
    assert title.startswith("table1: Table 1: accuracy on clean test images")
    assert "REM has PGD in both; SEM has random noise" in " ".join(line.strip() for line in about)
    assert file.endswith("grids/table1.yaml")


def test_a_network_that_is_named_has_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    names = [name if name in FLAT else f"{name}/{divisors(name)[-1]}" for name in MODELS]
    assert bench("list", "models", *names, "densenet121", "timm/test_vit/patch4") == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == [*names, "densenet121", "timm/test_vit/patch4"]
    for name in (*names, "densenet121"):
        assert "\n  stem       " in cards[name]
        assert "\n  source     " in cards[name]
    for line in (
        "weights    6.96 million for 10 classes and images of 3x32x32",
        "stem       7x7, stride 2, then a max-pool of stride 2: 32 pixels enter the first block at 8x8",
        "folds      59 of its 121 batch norms into convolutions while frozen",
        "precision  bfloat16 on a GPU that has it",
        "narrower   densenet121/2, densenet121/4, densenet121/8, densenet121/16, densenet121/32",
        "published  83.27 % on clean CIFAR-10, PGD, radius=4/255 (REM, Fu et al.",
    ):
        assert line in cards["densenet121"]
    assert "precision  float32 everywhere" in cards["cnn/24"]
    assert "published" not in cards["cnn/24"]


def test_every_form_of_a_name_of_a_network_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "models") == 0
    _, *lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines if line[1] != " "]
    assert listed == [*MODELS, "NAME/8", "timm/NAME", "timm/NAME/patch4"]


def test_a_card_has_the_settings_for_large_images_with_their_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "methods", "em", "tap", "clean") == 0
    em, tap, clean, *_ = capsys.readouterr().out.split("\n\n")
    assert "large      updates_per_round 100, stop_error 0.1, weight_decay 5e-05, batch_size 32" in em
    assert "16/255" in em
    assert "large      surrogate timm/resnet18: " in tap
    assert "large  " not in clean


@pytest.mark.parametrize("kind", [*METHODS.values(), *ATTACKS.values()])
def test_settings_for_large_images_have_a_source(kind: type[PlugIn]) -> None:
    assert bool(kind.large) <= bool(kind.large_source)


def test_methods_with_networks_say_that_a_gpu_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "methods", "em", "sc") == 0
    em, sc, *_ = capsys.readouterr().out.split("\n\n")
    assert "bfloat16" in em
    assert "bfloat16" not in sc
    for known in ("x - 1/2", "max_rounds"):
        assert known in em


def test_a_data_set_that_is_named_has_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "datasets", *DATASETS) == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == list(DATASETS)
    for line in (
        "images     73,257 + 26,032 of 32x32",
        "classes    10 digits",
        "licence    for non-commercial use only",
        "file       train_32x32.mat, md5 e26dedcc434d2e4c54c9b2d4a06d8373, from",
        "split      the official one, without the 531,131 extra images",
        "prepared   none; area-averaged below 32 pixels",
        "settings   size 32, train_images 73257",
        "source     Netzer et al.",
    ):
        assert line in cards["svhn"]
    assert "settings   size (to be written), fit crop, skip_broken false, path (to be written)" in cards["folder"]
    for name, kind in DATASETS.items():
        assert ("file  " in cards[name]) == bool(kind.archives)
        assert ("checksum  " in cards[name]) == bool(kind.about.checksum)
        assert kind.archives or kind.about.checksum
