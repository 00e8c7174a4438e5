"""Grid files: what they expand to, and one clear line for everything a user can get wrong."""

from pathlib import Path

import pytest
from PIL import Image

from attacks import ATTACKS
from bench.core.errors import UserError, suggestion
from bench.grid.expand import TABLES, Grid, read_grid
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
        methods={"*": {"surrogate": "cnn"}, "sem": {"samples": 2}},
        train={"steps": 80},
    ),
    "tiny": Scale(dataset="synthetic", seeds=1),
}


def expand(folder: Path, text: str, scale: str = "paper", user: Scale | None = None) -> Grid:
    file = folder / "grid.yaml"
    file.write_text(text)
    return read_grid(file, SCALES, scale, user or Scale(), folder)


def message(folder: Path, text: str, scale: str = "paper") -> str:
    with pytest.raises(UserError) as caught:
        expand(folder, text, scale)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            HEAD + "methods: [{name: em, raduis: 8/255}]\nattacks: [none]\n",
            "grid.yaml: methods[0]: unknown key 'raduis'; did you mean 'radius'?",
        ),
        (
            HEAD + "methods: [clean, smm]\nattacks: [none]\n",
            "grid.yaml: methods[1]: unknown method 'smm'" + suggestion("smm", METHODS),
        ),
        (
            HEAD + "methods: [{name: em, radius: 8}]\nattacks: [none]\n",
            "grid.yaml: methods[0].radius: must be in (0, 1], got 8; write 8/255, not 8",
        ),
        (
            HEAD + "methods: [{name: em, steps: -3}]\nattacks: [none]\n",
            "grid.yaml: methods[0].steps: must be at least 1, got -3",
        ),
        ("", "grid.yaml: the file is empty; a grid needs at least title, datasets, models, methods, attacks"),
        (
            HEAD + "methods: [em\nattacks: [none]\n",
            "grid.yaml: line 5, column 8: expected ',' or ']', but got ':'",
        ),
        ("- em\n- sem\n", "grid.yaml: must be a mapping of `key: value`, got a list"),
        (
            HEAD + "methods: [em]\nattacks: [none]\ntrain: [3]\n",
            "grid.yaml: train: must be a mapping of `key: value`, got a list",
        ),
        (
            HEAD + "methods: [em]\nmethods: [sem]\nattacks: [none]\n",
            "grid.yaml: line 5, column 1: duplicate key 'methods'",
        ),
        (HEAD + "method: [em]\nattacks: [none]\n", "grid.yaml: unknown key 'method'; did you mean 'methods'?"),
        (HEAD + "methods: [em]\n", "grid.yaml: missing key 'attacks'"),
        (HEAD + "methods: []\nattacks: [none]\n", "grid.yaml: methods: must hold at least one entry"),
        (
            HEAD + "methods: [em]\nattacks: [{name: pgd, radius: [1/255, two]}]\n",
            "grid.yaml: attacks[0].radius: must be a number or a fraction such as 8/255, got 'two'",
        ),
        (
            HEAD + "methods: [em]\nattacks: [{name: pgd, radius: []}]\n",
            "grid.yaml: attacks[0].radius: a sweep must hold at least one value",
        ),
        (
            HEAD + "methods: [em]\nattacks: [[]]\n",
            "grid.yaml: attacks[0]: an empty stack; write none for plain training",
        ),
        (
            HEAD + "methods: [em]\nattacks: [[none, pdg]]\n",
            f"grid.yaml: attacks[0][1]: unknown attack 'pdg'{suggestion('pdg', ATTACKS)}",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none, [pgd, median]]\n",
            "grid.yaml: attacks[1][1]: median acts before pgd (prepare comes before perturb); list it first",
        ),
        (
            HEAD + "methods: [{radius: 8/255}]\nattacks: [none]\n",
            "grid.yaml: methods[0]: missing key 'name'; choices: " + CHOICES,
        ),
        (
            HEAD + "methods: [{name: em, surrogate: resnet81}]\nattacks: [none]\n",
            "grid.yaml: methods[0].surrogate: unknown model 'resnet81'; did you mean 'resnet18'?",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: {methods: [clean]}\n",
            "grid.yaml: also: must be a list, got a mapping",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [clean]\n",
            "grid.yaml: also[0]: must be a mapping of `key: value`, got 'clean'",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{methods: [clean]}]\n",
            "grid.yaml: also[0]: missing key 'attacks'",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{methods: [clean], atacks: [none]}]\n",
            "grid.yaml: also[0]: unknown key 'atacks'; did you mean 'attacks'? (choices: methods, attacks)",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{methods: [], attacks: [none]}]\n",
            "grid.yaml: also[0].methods: must hold at least one entry",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{methods: [{name: em, radius: 8}], attacks: [none]}]\n",
            "grid.yaml: also[0].methods[0].radius: must be in (0, 1], got 8; write 8/255, not 8",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{methods: [em], attacks: [none, [median, pdg]]}]\n",
            f"grid.yaml: also[0].attacks[1][1]: unknown attack 'pdg'{suggestion('pdg', ATTACKS)}",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\ncontrols: maybe\n",
            "grid.yaml: controls: must be true or false, got 'maybe'",
        ),
        (HEAD + "methods: [em]\nattacks: [none]\nseeds: 0\n", "grid.yaml: seeds: must be at least 1, got 0"),
        (
            HEAD + "methods: [em]\nattacks: [none]\ntrain: {schedule: linear}\n",
            "grid.yaml: train.schedule: must be 'steps', 'cosine' or 'one_cycle', got 'linear'",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nat: {tny: {seeds: 1}}\n",
            "grid.yaml: at: unknown scale 'tny'; did you mean 'tiny'? (choices: paper, small, tiny)",
        ),
        (
            HEAD.replace("synthetic", "{name: folder, path: nowhere, size: 16}") + "methods: [em]\nattacks: [none]\n",
            "grid.yaml: datasets: {folder}/nowhere/train: no such folder; "
            "an image folder has train/CLASS/ and val/CLASS/",
        ),
    ],
)
def test_every_mistake_in_a_grid_gets_one_line_with_place_and_choices(tmp_path: Path, text: str, expected: str) -> None:
    assert message(tmp_path, text).replace(str(tmp_path), "{folder}") == expected


def test_a_missing_grid_file_is_named_with_its_likely_neighbour(tmp_path: Path) -> None:
    (tmp_path / "table2.yaml").write_text(HEAD)
    with pytest.raises(UserError) as caught:
        read_grid(tmp_path / "tabel2.yaml", SCALES, "paper", Scale(), tmp_path)
    assert str(caught.value) == f"{tmp_path}/tabel2.yaml: no such file; did you mean {tmp_path}/table2.yaml?"


def test_an_unknown_scale_is_answered_with_the_scales_there_are(tmp_path: Path) -> None:
    text = HEAD + "methods: [em]\nattacks: [none]\n"
    expected = "grid.yaml: --scale smal: unknown scale; did you mean 'small'? (choices: paper, small, tiny)"
    assert message(tmp_path, text, scale="smal") == expected


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("train.steps", "--set train.steps: write KEY.KEY=VALUE, such as train.steps=2000 or methods.sem.samples=3"),
        ("trian.steps=3", "--set: unknown key 'trian'; did you mean 'train'?"),
        ("methods.em.steps=0", "--set methods.em.steps: must be at least 1, got 0"),
        ("methods.me.steps=1", "--set methods: unknown name 'me'; choices: " + CHOICES),
        (
            "multiply.radius=2",
            "--set multiply: belongs to a scale; write the setting itself: methods.sem.radius=16/255",
        ),
        ("methods.*.stepz=1", "--set methods.*: unknown key 'stepz'; did you mean 'steps'?"),
        ("seeds=x", "--set seeds: must be a whole number, got 'x'"),
    ],
)
def test_every_mistake_in_set_gets_one_line(tmp_path: Path, assignment: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        expand(tmp_path, HEAD + "methods: [em]\nattacks: [none]\n", user=read_assignments([assignment]))
    assert str(caught.value) == expected


def test_a_mistake_in_a_scale_names_the_scale_and_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text(HEAD + "methods: [em]\nattacks: [none]\n")
    wrong = {
        "scale odd: methods.em.steps: must be at least 1, got 0": Scale(methods={"em": {"steps": 0}}),
        "scale odd: attacks.pgd: unknown key 'step'; did you mean 'steps'?": Scale(attacks={"pgd": {"step": 1}}),
        "scale odd: dataset: unknown data set 'cifar'; did you mean 'cifar10'?": Scale(dataset="cifar"),
        "scale odd: train.lr: must be more than 0, got -1": Scale(train={"lr": -1}),
    }
    for expected, scale in wrong.items():
        with pytest.raises(UserError) as caught:
            read_grid(file, {"odd": scale}, "odd", Scale(), tmp_path)
        assert str(caught.value).startswith(expected)


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
    text = ALONE + "methods: [em]\nattacks: [none]\nat: {tiny: {seeds: 2, attacks: [pgd]}}\n"
    grid = expand(tmp_path, text, "tiny")
    assert [cell.seed for cell in grid.cells] == [0, 1]
    assert [attack.name for attack in grid.cells[0].attacks] == ["pgd"]


def test_the_condition_remembers_its_counterpart_at_paper_scale(tmp_path: Path) -> None:
    text = (
        ALONE.replace("synthetic", "cifar10").replace("cnn", "resnet18")
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


def test_the_scales_of_the_project_fit_every_grid_of_the_project(weights_file: Path) -> None:
    user = read_assignments([f"attacks.*.weights={weights_file}"])  # which no grid can know
    scales = read_scales(Path("grids/scales.yaml"))
    for file in Path("grids").glob("*.yaml"):
        for name in scales if file.name != "scales.yaml" else ():
            assert read_grid(file, scales, name, user, Path("data")).cells


@pytest.mark.parametrize(("size", "samples", "steps"), [(127, 5, 10), (128, 4, 8)])
def test_large_images_take_the_settings_of_the_imagenet_subset_unless_the_grid_says_otherwise(
    size: int, samples: int, steps: int, tmp_path: Path
) -> None:
    for name in ("train/a", "val/a"):
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
        assert {**settings.model_validate(settings.large).model_dump(), **settings.large} == settings.model_validate(
            settings.large
        ).model_dump()


def test_a_wrong_value_of_a_setting_that_a_scale_multiplies_is_told_like_any_other(tmp_path: Path) -> None:
    text = ALONE + "methods: [{name: em, radius: wide}]\nattacks: [none]\n"
    expected = "grid.yaml: methods[0].radius: must be a number or a fraction such as 8/255, got 'wide'"
    assert message(tmp_path, text, "small") == message(tmp_path, text) == expected
