"""Grid files: what they expand to."""

from pathlib import Path

import pytest
from PIL import Image

from bench.core.errors import UserError
from bench.grid.expand import Grid, read_grid
from bench.grid.plug_ins import TABLES
from bench.grid.scale import Scale, read_assignments, read_scales
from methods import METHODS

CHOICES = ", ".join(METHODS)

HEAD = "title: t\ndatasets: [synthetic]\nmodels: [cnn]\n"
ALONE = HEAD + "controls: false\n"
SCALES = {
    "paper": Scale(),
    "small": Scale(
        model="cnn",
        multiply={"radius": 2.0, "adv_radius": 2.0, "updates": 0.1},
        datasets={"synthetic": {"size": 8}},
        methods={"*": {"surrogate": "cnn"}, "sem": {"samples": 2}},
        train={"steps": 80},
    ),
    "tiny": Scale(dataset="synthetic", seeds=1),
}


def expand(
    folder: Path, text: str, scale: str = "paper", user: Scale | None = None, scales: dict[str, Scale] = SCALES
) -> Grid:
    file = folder / "grid.yaml"
    file.write_text(text)
    return read_grid(file, scales, scale, user or Scale(), folder)


def test_a_list_of_values_is_a_sweep_and_a_list_of_attacks_is_a_stack(tmp_path: Path) -> None:
    attacks = "[none, {name: pgd, radius: [1/255, 2/255]}, [median, {name: pgd, steps: [2, 3]}]]"
    grid = expand(tmp_path, ALONE + f"methods: [em]\nattacks: {attacks}\n")
    labels = [[attack.label for attack in condition.attacks] for condition in grid.conditions]
    assert labels == [["none"], ["pgd radius=1/255"], ["pgd radius=2/255"]] + [
        ["median", f"pgd steps={steps}"] for steps in (2, 3)
    ]


def test_what_is_also_wanted_joins_the_same_grid_without_meeting_the_rest(tmp_path: Path) -> None:
    also = "also: [{methods: [clean], attacks: [median, pgd]}, {methods: [sem, tap], attacks: [none]}]\n"
    text = ALONE.replace("[cnn]", "[cnn, resnet18]") + "methods: [em, rem]\nattacks: [none, pgd]\nseeds: 2\n" + also
    grid = expand(tmp_path, text)
    places = [(c.method.label, c.attacks[0].label) for c in grid.conditions]
    one_model = [(method, attack) for method in ("em", "rem") for attack in ("none", "pgd")]
    one_model += [("clean", "median"), ("clean", "pgd"), ("sem", "none"), ("tap", "none")]
    assert places == one_model * 2
    assert {len(condition.cells) for condition in grid.conditions} == {2}
    assert len(grid.cells) == len({cell.key for cell in grid.cells}) == 2 * 8 * 2


def test_a_scale_may_want_nothing_else(tmp_path: Path) -> None:
    text = (
        ALONE + "methods: [em]\nattacks: [none]\nalso: [{methods: [clean], attacks: [none]}]\nat: {tiny: {also: []}}\n"
    )
    assert [len(expand(tmp_path, text, scale).conditions) for scale in ("paper", "tiny")] == [2, 1]


def test_settings_come_from_set_then_grid_then_scale_then_default(tmp_path: Path) -> None:
    text = ALONE + "methods: [{name: sem, adv_radius: 3/255}]\nattacks: [none]\ntrain: {batch_size: 7}\n"
    grid = expand(tmp_path, text, "small", read_assignments(["methods.sem.samples=9", "train.lr=0.5"]))
    [method], recipe = {condition.method.choice.settings for condition in grid.conditions}, grid.cells[0].train
    assert method.samples == 9  # --set over the scale's 2
    assert method.adv_radius == 2 * 3 / 255  # the grid's value, doubled by the scale
    assert method.radius == 2 * 8 / 255  # the default, doubled by the scale
    assert method.updates == 500  # the default, times 0.1, still a whole number
    assert method.surrogate == "cnn"  # the scale's for every method
    assert (recipe.steps, recipe.batch_size, recipe.lr) == (80, 7, 0.5)


def test_a_key_that_the_grid_sets_at_a_scale_wins_over_the_scale(tmp_path: Path) -> None:
    text = ALONE + "scalable: true\nmethods: [em]\nattacks: [none]\nat: {tiny: {seeds: 2, attacks: [pgd]}}\n"
    grid = expand(tmp_path, text, "tiny")
    assert [cell.seed for cell in grid.cells] == [0, 1]
    assert [attack.name for attack in grid.cells[0].attacks] == ["pgd"]


@pytest.mark.parametrize(
    ("written", "expected", "replaced"),
    [
        ("seeds: 2", {"seeds": 2, "model": "resnet18", "dataset": "cifar10", "radius": 8 / 255}, ()),
        (
            "seeds: 2\nscalable: true",
            {"seeds": 1, "model": "cnn", "dataset": "synthetic", "radius": 16 / 255},
            ("cifar10 -> synthetic", "resnet18 -> cnn", "seeds 2 -> 1", "radius x 2"),
        ),
        (
            "seeds: 2\nscalable: true\nat: {tiny: {models: [vgg16], seeds: 3}}",
            {"seeds": 3, "model": "vgg16", "dataset": "synthetic", "radius": 16 / 255},
            ("cifar10 -> synthetic", "radius x 2"),
        ),
        (
            "seeds: 1\nscalable: true\nat: {tiny: {models: [vgg16/8]}}",
            {"seeds": 1, "model": "vgg16/8", "dataset": "synthetic", "radius": 16 / 255},
            ("cifar10 -> synthetic", "vgg16 -> vgg16/8", "radius x 2"),
        ),
    ],
)
def test_what_a_grid_writes_stands_unless_it_is_scalable(
    written: str, expected: dict[str, object], replaced: tuple[str, ...], tmp_path: Path
) -> None:
    text = "title: t\ndatasets: [cifar10]\nmodels: [resnet18]\ncontrols: false\nmethods: [em]\nattacks: [none]\n"
    file = tmp_path / "grid.yaml"
    file.write_text(text + written)
    tiny = Scale(dataset="synthetic", model="cnn", seeds=1, multiply={"radius": 2.0})
    grid = read_grid(file, {"tiny": tiny}, "tiny", Scale(), tmp_path)
    [condition] = grid.conditions
    got = {
        "seeds": len(condition.cells),
        "model": condition.model,
        "dataset": condition.dataset.choice.name,
        "radius": condition.method.choice.settings.radius,
    }
    assert got == expected
    assert grid.replaced == replaced


@pytest.mark.parametrize(
    ("datasets", "models", "replaced"),
    [
        ("[cifar10, svhn]", "[resnet18, vgg16]", ("cifar10, svhn -> synthetic", "resnet18, vgg16 -> cnn")),
        ("[synthetic, svhn]", "[cnn, vgg16]", ("synthetic, svhn -> synthetic", "cnn, vgg16 -> cnn")),
        ("[synthetic]", "[cnn]", ()),
    ],
)
def test_all_that_a_scale_replaces_is_told_and_no_setting_that_the_grid_has_not(
    datasets: str, models: str, replaced: tuple[str, ...], tmp_path: Path
) -> None:
    text = f"title: t\ndatasets: {datasets}\nmodels: {models}\ncontrols: false\nmethods: [clean]\nattacks: [none]\n"
    scales = {"tiny": Scale(dataset="synthetic", model="cnn", multiply={"radius": 2.0, "adv_radius": 2.0})}
    grid = expand(tmp_path, text + "scalable: true\n", "tiny", scales=scales)
    assert (grid.replaced, grid.kept) == (replaced, ())
    grid = expand(tmp_path, text, "tiny", scales=scales)
    assert (grid.replaced, grid.kept) == ((), ("datasets", "models"))


def test_radii_stay_if_the_images_keep_their_size(tmp_path: Path) -> None:
    text = ALONE.replace("datasets: [synthetic]", "datasets: [{name: synthetic, size: 32}, synthetic]")
    grid = expand(tmp_path, text + "methods: [em, {name: sem, adv_radius: 3/255}]\nattacks: [none]\n", "small")
    settings = [(c.dataset.choice.settings, c.method.choice.settings) for c in grid.conditions]
    radii = [(data.size, method.radius, getattr(method, "adv_radius", 0)) for data, method in settings]
    assert radii == [(32, 8 / 255, 0), (32, 8 / 255, 3 / 255), (8, 16 / 255, 0), (8, 16 / 255, 6 / 255)]


def test_a_scale_like_another_has_its_values_and_its_part_of_a_grid(tmp_path: Path) -> None:
    file = tmp_path / "scales.yaml"
    file.write_text(
        "small: {seeds: 2, train: {steps: 80, lr: 0.2}, methods: {em: {steps: 3}}}\n"
        "long: {like: small, train: {steps: 640}, methods: {em: {max_rounds: 4}}}\n"
    )
    scales = read_scales(file)
    assert scales["long"].changes() == {
        "seeds": 2,
        "train": {"steps": 640, "lr": 0.2},
        "methods": {"em": {"steps": 3, "max_rounds": 4}},
    }
    grid = tmp_path / "grid.yaml"
    grid.write_text(ALONE + "methods: [em]\nattacks: [none]\nat: {small: {attacks: [pgd]}}\n")
    [condition] = read_grid(grid, scales, "long", Scale(), tmp_path).conditions
    assert condition.attack_label == "pgd"
    file.write_text("long: {like: small}\nsmall: {}\n")
    (tmp_path / "list.yaml").write_text("small: {}\nlong: {like: [small]}\n")
    with pytest.raises(UserError, match=r"list.yaml: long.like: no scale above is called"):
        read_scales(tmp_path / "list.yaml")
    with pytest.raises(UserError, match=r"scales.yaml: long.like: no scale above is called 'small'"):
        read_scales(file)


def test_the_condition_remembers_its_counterpart_at_paper_scale(tmp_path: Path) -> None:
    text = (
        ALONE.replace("synthetic", "cifar10").replace("cnn", "resnet18")
        + "scalable: true\n"
        + "methods: [em]\nattacks: [{name: pgd, radius: 4/255}]\n"
    )
    scales = SCALES | {"small": SCALES["small"].model_copy(update={"dataset": "synthetic"})}
    file = tmp_path / "grid.yaml"
    file.write_text(text)
    [condition] = read_grid(file, scales, "small", Scale(), tmp_path).conditions
    assert (condition.dataset.choice.name, condition.dataset.paper.name) == ("synthetic", "cifar10")
    assert (condition.model, condition.paper_model) == ("cnn", "resnet18")
    assert condition.attacks[0].choice.settings.radius == 8 / 255
    assert condition.attacks[0].paper.settings.radius == 4 / 255


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A data root with as many files as grids need of what people must bring themselves."""
    counts = {"facescrub": (10, 120), "imagenette/train": (10, 1), "imagenette/val": (10, 1)}
    counts |= {"imagenet/train": (100, 1), "imagenet/val": (100, 1)}
    for name, (classes, count) in counts.items():
        for number in range(classes):
            (tmp_path / name / f"class{number}").mkdir(parents=True)
            for file in range(count):
                (tmp_path / name / f"class{number}" / f"{file}.jpg").touch()
    return tmp_path


def test_the_scales_of_the_project_fit_every_grid_of_the_project(weights_file: Path, photographs: Path) -> None:
    user = read_assignments([f"attacks.*.weights={weights_file}"])  # which no grid can know
    scales = read_scales(Path("grids/scales.yaml"))
    for file in Path("grids").glob("*.yaml"):
        for name in scales if file.name != "scales.yaml" else ():
            assert read_grid(file, scales, name, user, photographs).cells


@pytest.mark.parametrize("file", sorted(Path("grids").glob("*_cifar100.yaml")), ids=lambda file: file.stem)
@pytest.mark.parametrize("scale", ["paper", "small"])
def test_em_has_its_settings_for_cifar100_in_every_row(file: Path, scale: str, tmp_path: Path) -> None:
    grid = read_grid(file, read_scales(Path("grids/scales.yaml")), scale, Scale(), tmp_path)
    rounds = [one.method.choice.settings.updates_per_round for one in grid.conditions if one.method.choice.name == "em"]
    assert set(rounds) <= {20}


@pytest.mark.parametrize(("size", "samples", "steps"), [(127, 5, 10), (128, 4, 8)])
def test_large_images_take_the_settings_of_the_imagenet_subset_unless_the_grid_says_otherwise(
    size: int, samples: int, steps: int, tmp_path: Path
) -> None:
    for name in ("train/a", "val/a", "train/b", "val/b"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name / "0.png")
    text = f"title: t\ndatasets: [{{name: folder, path: ., size: {size}}}, cifar10]\nmodels: [cnn]\ncontrols: false\n"
    grid = expand(tmp_path, text + "methods: [sem, {name: sem, samples: 2}]\nattacks: [pgd]\n")
    found = [
        (one.dataset.choice.name, one.method.choice.settings.samples, one.attacks[0].paper.settings.steps)
        for one in grid.conditions
    ]
    assert found == [("folder", samples, steps), ("folder", 2, steps), ("cifar10", 5, 10), ("cifar10", 2, 10)]


@pytest.mark.parametrize("group", ["methods", "attacks"])
def test_the_settings_for_large_images_are_settings_of_their_plug_in(group: str) -> None:
    for settings in TABLES[group].values():
        if not settings.large:
            continue
        assert {**settings.model_validate(settings.large).model_dump(), **settings.large} == settings.model_validate(
            settings.large
        ).model_dump()
