"""What is absurd: refused in one short line, and never written out first."""

import math
from pathlib import Path

import pytest

from bench.core.errors import UserError, brief
from bench.core.settings import Positive, Settings
from bench.grid.scale import Scale, read_assignments
from tests.grid.test_expand import HEAD, expand
from tests.grid.test_mistakes import message

QUOTE = "'"
LONG = "x" * 1000
SHORT = f"'{'x' * 76}..."
ONE = "methods: [em]\nattacks: [none]\n"


def sweep(count: int) -> str:
    return f"[{', '.join(map(str, range(1, count + 1)))}]"


@pytest.mark.parametrize(("written", "expected"), [(0, 0), (1, 1), (3, 1), (0.0, 0.0), ("0/255", "0/255"), (0.5, 0.05)])
def test_a_factor_leaves_0_and_makes_no_whole_number_smaller_than_1(written: object, expected: object) -> None:
    assert Scale(multiply={"steps": 0.1}).multiplied({"steps": written}) == {"steps": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            HEAD + ONE + "seeds: 100000000\n",
            "grid.yaml: asks for 300,000,000 cells or more; a grid holds at most 20,000",
        ),
        (
            HEAD + ONE + "seeds: 1000000000000\n",
            "grid.yaml: seeds: must be at most 1,000,000,000, got 1000000000000",
        ),
        (
            HEAD.replace("synthetic", "{name: synthetic, train_images: 1000000000000}") + ONE,
            "grid.yaml: datasets[0].train_images: must be at most 1,000,000, got 1000000000000",
        ),
        (
            HEAD + f"methods: [{{name: em, steps: {sweep(500)}, updates: {sweep(500)}}}]\nattacks: [none]\n",
            "grid.yaml: methods[0]: asks for 250,000 cells or more; a grid holds at most 20,000",
        ),
        (
            HEAD + f"methods: [em]\nattacks: [[median, {{name: pgd, steps: {sweep(150)}, radius: {sweep(150)}}}]]\n",
            "grid.yaml: attacks[0][1]: asks for 22,500 cells or more; a grid holds at most 20,000",
        ),
        (
            HEAD + f"methods: [{{name: em, steps: {sweep(150)}}}]\nattacks: [{{name: pgd, steps: {sweep(150)}}}]\n",
            "grid.yaml: asks for 22,500 cells or more; a grid holds at most 20,000",
        ),
    ],
)
def test_what_nobody_can_run_is_counted_and_refused(text: str, expected: str, tmp_path: Path) -> None:
    assert message(tmp_path, text) == expected


def test_what_the_user_sets_is_counted_too(tmp_path: Path) -> None:
    for user in (read_assignments(["seeds=100000000"]), Scale().model_copy(update={"seeds": 100_000_000})):
        with pytest.raises(UserError, match=r"grid\.yaml: asks for 300,000,000 cells or more"):
            expand(tmp_path, HEAD + ONE, user=user)


@pytest.mark.parametrize(
    "value", [".inf", "-.inf", ".nan", "inf", "nan", "inf/1", "1e400/1", "1e300/1e-300", "'1e999'"]
)
def test_a_setting_that_is_not_finite_is_refused(value: str, tmp_path: Path) -> None:
    expected = (
        f"train.lr: must be a number or a fraction such as 8/255, got {value if value[0] == chr(39) else repr(value)}"
    )
    assert message(tmp_path, HEAD + ONE + f"train: {{lr: {value}}}\n") == f"grid.yaml: {expected}"
    with pytest.raises(UserError) as caught:
        expand(tmp_path, HEAD + ONE, user=read_assignments([f"train.lr={value}"]))
    assert str(caught.value) == f"--set {expected}"


class Example(Settings):
    plain: float = 1.0
    parsed: Positive = 1.0


@pytest.mark.parametrize("field", Example.model_fields)
@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_no_field_takes_a_number_that_is_not_finite(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=r"finite number|greater than 0"):
        Example.model_validate({field: value})


def test_a_factor_of_a_scale_that_leaves_the_numbers_is_told_at_the_setting(tmp_path: Path) -> None:
    huge = Scale(multiply={"steps": 1e300})
    assert huge.multiplied({"steps": 10**18, "name": "em"}) == {"steps": math.inf, "name": "em"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + ONE + f"seeds: {LONG}\n", f"grid.yaml: seeds: must be a whole number, got {SHORT}"),
        (HEAD + ONE + f"{LONG}: 1\n", f"grid.yaml: unknown key {SHORT}; choices: title, about, "),
        (HEAD + f"methods: [{LONG}]\nattacks: [none]\n", f"grid.yaml: methods[0]: unknown method {SHORT}; choices: "),
        (HEAD.replace("cnn", LONG) + ONE, f"grid.yaml: models[0]: unknown model {SHORT}; choices: "),
        (
            HEAD + ONE + f"train: {{lr: {LONG}}}\n",
            f"grid.yaml: train.lr: must be a number or a fraction such as 8/255, got {SHORT}",
        ),
        (HEAD + ONE + f"at: {{{LONG}: {{}}}}\n", f"grid.yaml: at: unknown scale {SHORT}; choices: "),
        (HEAD + ONE + f"{LONG}: 1\n{LONG}: 1\n", f"grid.yaml: line 7, column 1: duplicate key {SHORT}"),
        (
            HEAD + f"methods: [em]\nattacks: [{{name: finetune, weights: [[{LONG}]]}}]\n",
            f"grid.yaml: attacks[0].weights: must be hub or a file of weights, got ['{'x' * 75}...",
        ),
    ],
)
def test_values_in_messages_are_cut(text: str, expected: str, tmp_path: Path) -> None:
    assert message(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        (f"train.steps={LONG}", f"--set train.steps: must be a whole number, got {SHORT}"),
        (LONG, f"--set {'x' * 77}...: write KEY.KEY=VALUE"),
        (f"train.{LONG}=1", f"--set train: unknown key {SHORT}; choices: "),
        (f"methods.{LONG}.steps=1", f"--set methods: unknown name {SHORT}; choices: "),
        ("methods.em.steps.a=1", "--set methods.em.steps.a=1: write KEY.KEY=VALUE"),
        ("train.l\nr=1", r"--set train: unknown key 'l\nr'; did you mean 'lr'?"),
        ("tra\x1b[2Jin=1", r"--set: unknown key 'tra\x1b[2Jin'; did you mean 'train'?"),
    ],
)
def test_what_is_set_is_cut_as_well(assignment: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        expand(tmp_path, HEAD + ONE, user=read_assignments([assignment]))
    assert str(caught.value).startswith(expected)


def test_a_message_is_one_printable_line_whatever_it_quotes() -> None:
    assert str(UserError("a\nb\x1b[2J\u2028\udcff é")) == r"a\nb\x1b[2J\u2028\udcff é"
    assert brief("x" * 78) == f"'{'x' * 78}'"
    assert brief("x" * 79) == f"'{'x' * 76}..."
