"""Grid files: one clear line for everything a user can get wrong."""

import re
from pathlib import Path

import pytest

from attacks import ATTACKS
from bench.core.errors import UserError, suggestion
from bench.grid.expand import read_grid
from bench.grid.replaced import check_reached
from bench.grid.scale import Scale, read_assignments
from methods import METHODS
from tests.grid.test_expand import ALONE, HEAD, SCALES, expand

CHOICES = ", ".join(METHODS)


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
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{attacks: [none]}]\n",
            "grid.yaml: also[0]: missing key 'methods'",
        ),
        (
            HEAD + "methods: [em]\nattacks: [none]\nalso: [{methods: [clean], atacks: [none]}]\n",
            "grid.yaml: also[0]: unknown key 'atacks'; did you mean 'attacks'? "
            "(choices: methods, attacks, noise_seeds)",
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
            "grid.yaml: datasets: {folder}/nowhere: no such folder; an image folder has train/CLASS/ and val/CLASS/; "
            "its path is relative to --data-root",
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
        ("seeds=", "--set seeds: the value is empty"),
        ("seeds=1 seeds=2", "--set seeds: is set twice"),
        ("train.steps=1 train.steps=1", "--set train.steps: is set twice"),
        ("seeds=null", "--set seeds: must not be null"),
        ("datasets=folder", "--set datasets: write datasets.NAME.KEY=VALUE or dataset=NAME"),
        ("methods.em_stepwise.adv_steps=3", "--set methods.em_stepwise.adv_steps: does nothing for em_stepwise"),
    ],
)
def test_every_mistake_in_set_gets_one_line(tmp_path: Path, assignment: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        expand(
            tmp_path, HEAD + "methods: [em, em_stepwise]\nattacks: [none]\n", user=read_assignments(assignment.split())
        )
    assert str(caught.value) == expected


def test_what_set_names_must_be_in_a_grid_of_the_run(tmp_path: Path) -> None:
    text = HEAD + "methods: [em]\nattacks: [none, [median, pgd], early_stopping]\nmeasures: [separability]\n"
    met = ["methods.em.steps=2", "methods.*.steps=2", "attacks.pgd.steps=2", "measures.separability.folds=3"]
    for assignment in (*met, "datasets.synthetic.size=8"):
        user = read_assignments([assignment])
        check_reached(user, expand(tmp_path, text, user=user).conditions)
    for assignment, expected in {
        "methods.sem.samples=1": "--set methods.sem: in no grid of this run; did you mean 'em'?",
        "datasets.cifar10.size=8": "--set datasets.cifar10: in no grid of this run; choices: synthetic",
        "methods.random.radius=1/2": "--set methods.random: is only a control here; what it is compared with decides",
        "attacks.partial_poisoning.stratified=false": "--set attacks.partial_poisoning: is only a control here",
        "measures.noise_only.held_out=1/2": "--set measures.noise_only: in no grid of this run; choices: separability",
        "measures.*.held_out=1/2": "--set measures.*.held_out: no measures of this run have it; choices: folds, images",
        "methods.*.samples=1": "--set methods.*.samples: no methods of this run have it",
        "attacks.*.stratified=false": "--set attacks.*.stratified: no attacks of this run have it",
    }.items():
        user = read_assignments([assignment])
        with pytest.raises(UserError, match=re.escape(expected)):
            check_reached(user, expand(tmp_path, text, user=user).conditions)


def test_set_for_all_leaves_alone_where_it_does_nothing(tmp_path: Path) -> None:
    text = HEAD + "methods: [rem, em_stepwise]\nattacks: [none]\n"
    keys = [
        {one.method.choice.name: one.cells[0].key for one in expand(tmp_path, text, user=user).conditions}
        for user in (Scale(), read_assignments(["methods.*.adv_steps=7"]))
    ]
    assert keys[0]["rem"] != keys[1]["rem"]
    assert keys[0]["em_stepwise"] == keys[1]["em_stepwise"]


@pytest.mark.parametrize(
    ("method", "setting"),
    [(name, setting) for name, kind in METHODS.items() for setting in sorted(kind.idle)],
)
def test_a_setting_that_does_nothing_is_refused(method: str, setting: str, tmp_path: Path) -> None:
    assert setting in METHODS[method].model_fields
    said = message(tmp_path, HEAD + f"methods: [{{name: {method}, {setting}: [1, 2]}}]\nattacks: [none]\n")
    assert said == f"grid.yaml: methods[0].{setting}: does nothing for {method}"


def test_a_setting_that_must_be_written_may_be_so_by_set_or_a_scale(tmp_path: Path) -> None:
    (tmp_path / "faces" / "ann").mkdir(parents=True)
    user = read_assignments(["dataset=facescrub", "datasets.facescrub.path=faces"])
    with pytest.raises(UserError, match="has 1 folders of the 10 wanted"):  # so it was read
        expand(tmp_path, HEAD + "methods: [em]\nattacks: [none]\n", user=user)


def test_a_mistake_in_a_scale_names_the_scale_and_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text(HEAD + "scalable: true\nmethods: [em]\nattacks: [none]\n")
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


def test_a_wrong_value_of_a_setting_that_a_scale_multiplies_is_told_like_any_other(tmp_path: Path) -> None:
    text = ALONE + "methods: [{name: em, radius: wide}]\nattacks: [none]\n"
    expected = "grid.yaml: methods[0].radius: must be a number or a fraction such as 8/255, got 'wide'"
    assert message(tmp_path, text, "small") == message(tmp_path, text) == expected
