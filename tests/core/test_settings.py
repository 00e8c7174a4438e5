"""Settings: what can be written, what is refused, and what is written back."""

import json
import math
import re
from typing import Annotated

import pytest
import torch
from pydantic import AfterValidator, BaseModel, ValidationError

from attacks import ATTACKS
from bench.core.settings import (
    Added,
    Count,
    Fraction,
    Radius,
    RadiusOrZero,
    Settings,
    explained,
    format_fraction,
    parse_fraction,
)
from bench.core.train import Recipe
from measures import MEASURES
from methods import METHODS
from tests.builders import plain


class Example(Settings):
    radius: Radius = 8 / 255
    start: RadiusOrZero = 0.0
    optional: RadiusOrZero | None = None
    share: Fraction = 0.5
    steps: Count = 1


def refusal(**values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Example.model_validate(values)
    return str(caught.value.errors()[0]["msg"]).removeprefix("Value error, ")


class Told(BaseModel):
    """Validators of its own say what is wrong, with or without the value."""

    even: Annotated[int, AfterValidator(lambda value: _refuse("Must be even"))] = 0
    small: Annotated[float, AfterValidator(lambda value: _refuse(f"must be small, but is {value:g}"))] = 0.0
    pairs: Annotated[list[int], AfterValidator(lambda value: _refuse("do not ascend"))] = []
    needed: int


def _refuse(said: str) -> None:
    raise ValueError(said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"even": 3}, "even: must be even, got 3"),
        ({"small": 1e308}, "small: must be small, but is 1e+308"),
        ({"pairs": [8, 4]}, "pairs: do not ascend"),
        ({"needed": "x"}, "needed: input should be a valid integer, unable to parse string as an integer, got 'x'"),
        ({}, "needed: is missing"),
    ],
)
def test_what_is_wrong_is_told_once_with_place_and_value(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Told.model_validate({"needed": 1} | values if values else {})
    assert explained(raised.value) == said


def test_a_radius_is_read_from_a_fraction_of_255() -> None:
    assert Example.model_validate({"radius": "8/255"}).radius == 8 / 255
    assert Example.model_validate({"radius": "1.6/255"}).radius == 1.6 / 255
    assert Example.model_validate({"radius": 1}).radius == 1.0


@pytest.mark.parametrize("value", [8, 8.0, "8"])
def test_a_radius_in_grey_levels_is_refused_with_what_to_write_instead(value: object) -> None:
    assert refusal(radius=value) == "must be in (0, 1], got 8; write 8/255, not 8"
    assert refusal(start=value) == "must be in [0, 1], got 8; write 8/255, not 8"


@pytest.mark.parametrize("text", ["8/0", "eight", "8/", "1/2/3"])
def test_a_fraction_that_is_no_number_is_refused(text: str) -> None:
    assert refusal(radius=text) == f"must be a number or a fraction such as 8/255, got {text!r}"


@pytest.mark.parametrize("value", [0, "0/255", -1 / 255, math.nan, True])
def test_nothing_is_no_radius_except_where_zero_means_no_perturbation(value: object) -> None:
    assert refusal(radius=value)
    assert Example.model_validate({"start": 0}).start == 0
    assert refusal(start=-1 / 255)


class Grown(Settings):
    steps: Count = 1
    late: Annotated[int, Added()] = 3


def test_a_setting_that_was_added_is_in_the_key_only_if_it_is_not_its_default() -> None:
    assert Grown().canonical() == Grown(late=3).canonical() == {"revision": 1, "steps": 1}
    assert Grown(late=4).canonical() == {"revision": 1, "steps": 1, "late": 4}
    assert Grown().model_dump() == {"steps": 1, "late": 3}


def test_misspelt_settings_and_numbers_of_the_wrong_kind_are_refused() -> None:
    assert refusal(raduis="8/255") == "Extra inputs are not permitted"
    for values in ({"steps": 0}, {"steps": 1.5}, {"steps": True}, {"steps": "1"}, {"share": "3/2"}, {"share": -0.1}):
        assert refusal(**values)


def test_settings_cannot_be_changed_and_are_equal_by_value() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Example().steps = 2  # type: ignore[misc]
    assert {Example(), Example(radius=8 / 255)} == {Example()}


@pytest.mark.parametrize("grey_levels", [0.4, 0.5, 0.8, 1, 1.2345, 1.6, 2, 2.4, 4, 8, 16, 255])
def test_a_radius_is_written_as_the_fraction_people_write(grey_levels: float) -> None:
    radius = grey_levels / 255
    assert format_fraction(radius) == f"{grey_levels:g}/255"
    assert parse_fraction(format_fraction(radius)) == radius


def test_no_number_changes_by_being_written_and_read() -> None:
    values = torch.rand(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64).tolist()
    assert [parse_fraction(format_fraction(value)) for value in values] == values
    assert format_fraction(math.pi / 10) == math.pi / 10


PLUG_INS = {**METHODS, **ATTACKS}


@pytest.mark.parametrize("settings", [*PLUG_INS.values(), Recipe, Example], ids=lambda settings: settings.__name__)
def test_settings_survive_being_written_as_json(settings: type[Settings]) -> None:
    written = json.loads(json.dumps(plain(settings).model_dump(mode="json")))
    assert settings.model_validate(written) == plain(settings)
    assert written.keys() == settings.model_fields.keys()


def test_a_radius_stands_in_a_record_as_a_fraction() -> None:
    written = Example(optional=2 / 255).model_dump(mode="json")
    assert written == {"radius": "8/255", "start": "0/255", "optional": "2/255", "share": 0.5, "steps": 1}


@pytest.mark.parametrize(
    ("key", "one", "two"),
    [
        ("adv_steps", "1 step of the adversary", "2 steps of the adversary"),
        ("rel_step_size", "steps of 1 radius", "steps of 2 radii"),
        ("updates", "1 update", "2 updates"),
        ("samples", "1 sample", "2 samples"),
        ("batch_size", "batches of 1", "batches of 2"),
    ],
)
def test_a_phrase_is_in_the_singular_for_one(key: str, one: str, two: str) -> None:
    sem = METHODS["sem"]()
    assert [sem.model_copy(update={key: value}).phrase(key) for value in (1, 2)] == [one, two]


@pytest.mark.parametrize("plug_in", [*PLUG_INS.values(), *MEASURES.values()], ids=lambda plug_in: plug_in.__name__)
def test_no_phrase_of_a_plug_in_says_one_and_a_plural(plug_in: type[Settings]) -> None:
    settings = plain(plug_in)
    numbers = [key for key, value in settings if type(value) in (int, float)]
    phrases = [settings.model_copy(update={key: 1}).phrase(key) for key in numbers]
    assert not [phrase for phrase in phrases if re.search(r"\b1 (?!radius)(\w+s|radii)\b|[{|}]", phrase)]
