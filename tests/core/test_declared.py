"""Class attributes and defaults that are no such thing: whoever writes a plug-in is told when its table is loaded."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from attacks.plain import Plain
from bench.core.declared import check_names, check_table
from bench.core.errors import UserError
from bench.core.measures import Measure, Subject, Training
from bench.core.protocols import Attack, Method
from bench.core.session import Session
from bench.core.settings import Count, Radius
from bench.grid.cell import Choice
from bench.grid.plug_ins import KINDS, TABLES
from tests.builders import cell
from tests.core.declaring import HERE, Found, changed, refusal
from tests.run.cells import Flat


def test_each_plug_in_of_the_suite_declares_what_it_should() -> None:
    assert set(KINDS) | {"datasets"} == set(TABLES)
    for group, base in KINDS.items():
        check_table(group, TABLES[group], base)
    check_table("measures", {"found": Found, "frozen": changed(Found, numbers=MappingProxyType({"x": "y"}))}, Measure)


def test_no_two_kinds_of_plug_ins_have_one_name() -> None:
    with pytest.raises(UserError) as caught:
        check_names({"methods": {"em": None, "mean": None}, "attacks": {"pgd": None, "mean": None}})
    assert str(caught.value) == "attacks/__init__.py: mean: methods/__init__.py has one of this name; rename one"


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"numbers": {"b": None}}, "numbers: b: input should be a valid string, got None"),
        ({"numbers": {1: "one"}}, "numbers: 1.[key]: input should be a valid string, got 1"),
        ({"numbers": {"b": "two\nlines"}}, r"numbers: b: must be one line of printable text, got 'two\nlines'"),
        ({"numbers": {"b": ""}}, "numbers: b: string should have at least 1 character, got ''"),
        ({"numbers": ["b"]}, "numbers: input should be a valid dictionary, got ['b']"),
        ({"numbers": None}, "numbers: input should be a valid dictionary, got None"),
        (
            {"keeps": "surrogates"},
            "keeps: input should be a valid frozenset, got 'surrogates'; write frozenset({'surrogates'})",
        ),
        ({"keeps": ["surrogates"]}, "keeps: input should be a valid frozenset, got ['surrogates']"),
        ({"trains": 1}, "trains: input should be a valid boolean, got 1"),
        ({"revision": "x"}, "revision: input should be a valid integer, got 'x'"),
        ({"revision": True}, "revision: input should be a valid integer, got True"),
        ({"revision": 0}, "revision: input should be greater than or equal to 1, got 0"),
        ({"title": "a\nb"}, r"title: must be one line of printable text, got 'a\nb'"),
        ({"title": None}, "title: input should be a valid string, got None"),
        ({"source": None}, "source: input should be a valid string, got None"),
        ({"deviations": "none"}, "deviations: input should be a valid tuple, got 'none'; write ('none',)"),
        ({"phrases": {"steps": 1}}, "phrases: steps: input should be a valid string, got 1"),
    ],
)
def test_an_attribute_of_the_wrong_kind_is_told_with_file_class_value_and_what_is_allowed(
    attributes: dict[str, Any], problem: str
) -> None:
    assert refusal(changed(Found, **attributes)) == f"{HERE}: Changed.{problem}"


def test_the_choices_of_an_attribute_are_told() -> None:
    kinds = "input should be 'surrogates', 'perturbations' or 'checkpoints', got 'surrogate'"
    for several in (frozenset({"surrogate"}), {"surrogate"}):
        assert refusal(changed(Found, keeps=several)).endswith(kinds)
    assert refusal(changed(Flat, norm="l1"), "methods").endswith(
        "Changed.norm: input should be 'linf', 'l2' or 'none', got 'l1'"
    )
    assert "Changed.assumes: 0: input should be 'clean images', " in refusal(
        changed(Plain, assumes=frozenset({"much"})), "attacks"
    )


def test_any_set_is_one() -> None:
    measure = changed(Found, keeps={"surrogates"})
    check_table("measures", {"keeping": measure}, Measure)
    kept = replace(cell(), attacks=(), measure=Choice("keeping", measure())).keeps
    assert kept == frozenset({"surrogates"})
    assert hash(kept)


def test_what_a_class_has_to_declare_or_define_may_not_be_missing() -> None:
    class Bare(Measure):
        """No numbers."""

        source = "test"

        def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
            return {}

    class Idle(Method):
        source = "test"

    assert refusal(Bare) == f"{__file__}: Bare.numbers: input should be a valid dictionary, got None"
    assert refusal(Idle, "methods") == f"{__file__}: Idle.generate: is missing; each Method must define it"


@pytest.mark.parametrize("text", [None, "", "\n   "])
def test_a_plug_in_says_what_it_is(text: str | None) -> None:
    said = "Changed: has no docstring; its first line is what `list` says of it"
    assert refusal(changed(Found, __doc__=text)) == f"{HERE}: {said}"


def test_a_base_counts_too_because_revisions_add_up() -> None:
    base = changed(Found, revision="x")
    assert "Changed.revision: input should be a valid integer, got 'x'" in refusal(changed(base, revision=2))


@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
def test_a_setting_is_no_class_attribute() -> None:
    class Mixed(Found):
        """A class attribute as a setting."""

        trains: bool = True  # type: ignore[misc]

    assert refusal(Mixed) == f"{__file__}: Mixed.trains: is no setting; write `trains: ClassVar = ...`"


@pytest.mark.parametrize("entry", [5, Flat, Found(), Attack])
def test_a_table_holds_classes_of_its_kind(entry: Any) -> None:
    assert refusal(entry).startswith("measures/__init__.py: changed: must be a class of the kind Measure, got ")


class Sized(Found):
    """A measure with settings, one of which must be written."""

    written: Count
    count: Count = 1
    radius: Radius = 8 / 255
    large: ClassVar = {"count": 2}


@pytest.mark.parametrize(
    ("name", "kind", "default", "problem"),
    [
        ("count", Count, 0, "count: input should be greater than or equal to 1, got 0"),
        ("count", Count, 1.5, "count: input should be a valid integer, got 1.5"),
        ("count", Count, None, "count: input should be a valid integer, got None"),
        ("radius", Radius, 8, "radius: must be in (0, 1], got 8; write 8/255, not 8"),
        ("large", ClassVar, {"count": 0}, "large.count: input should be greater than or equal to 1, got 0"),
        ("large", ClassVar, {"counts": 2}, "large.counts: extra inputs are not permitted, got 2"),
    ],
)
def test_a_default_is_what_the_type_of_its_setting_allows(name: str, kind: Any, default: Any, problem: str) -> None:
    check_table("measures", {"sized": Sized}, Measure)
    wrong = changed(Sized, **{"__annotations__": {name: kind}, name: default})
    assert refusal(wrong) == f"{HERE}: Changed.{problem}"
