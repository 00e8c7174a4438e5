"""Methods and hooks that are no such thing: whoever writes a plug-in is told when its table is loaded."""

from typing import Any

import pytest
import torch
from torch import Tensor

from attacks.gradient import Pgd
from attacks.low_pass import Median
from attacks.plain import Plain
from bench.core.declared import check_table
from bench.core.measures import Measure, Subject, Training
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.settings import Settings
from tests.core.declaring import HERE, Found, changed, refusal
from tests.run.cells import Flat


def of_nothing() -> None: ...


def of_others(self: Any, *, images: Tensor, labels: Tensor) -> None: ...


def of_self(self: Any) -> None: ...


def of_any(*everything: Any) -> None: ...


def of_more(self: Any, subject: Subject, training: Training, session: Session, more: int = 0) -> None: ...


@pytest.mark.parametrize(
    ("group", "base", "name", "value", "problem"),
    [
        ("measures", Found, "measure", of_self, "must take (self, subject, training, session), got (self)"),
        ("measures", Found, "declines", of_nothing, "must take (self, data, method), got ()"),
        (
            "measures",
            Found,
            "measure",
            staticmethod(of_self),
            "must take (self, subject, training, session), got (self)",
        ),
        (
            "attacks",
            Pgd,
            "augment",
            of_others,
            "must take (self, images, labels, generator), got (self, images, labels)",
        ),
        ("attacks", Median, "filtered", of_self, "must take (self, images), got (self)"),
        ("attacks", Pgd, "cost", property(of_self), "must be a method, got <property object"),
        ("methods", Flat, "class_wise", of_self, "is called without parentheses; write @property above it"),
    ],
)
def test_a_method_takes_what_the_one_that_it_overrides_takes(
    group: str, base: type[Settings], name: str, value: Any, problem: str
) -> None:
    assert refusal(changed(base, **{name: value}), group).startswith(f"{HERE}: Changed.{name}: {problem}")


@pytest.mark.parametrize("value", [of_any, of_more, staticmethod(of_any), classmethod(of_more)])
def test_a_method_may_take_more(value: Any) -> None:
    check_table("measures", {"more": changed(Found, measure=value)}, Measure)


@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
def test_a_setting_hides_no_method() -> None:
    hidden = changed(Found, __annotations__={"declines": str}, declines="")
    assert refusal(hidden).endswith("Changed.declines: is a method of Measure; give the setting another name")


def test_an_attack_without_a_hook_is_refused_with_the_hook_that_was_probably_meant() -> None:
    class Misspelt(Attack):
        """Meant to change views."""

        source = "test"

        def augmnet(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
            return images

    class Idle(Attack):
        """Changes with the progress of training, and does nothing."""

        source = "test"

        def at(self, progress: float) -> Attack:
            return self

    choices = "choices: hold_out, prepare, start, augment, mix, perturb, loss"
    meant = f"Misspelt.augmnet: is no hook; did you mean 'augment'? ({choices})"
    assert refusal(Misspelt, "attacks") == f"{__file__}: {meant}"
    assert refusal(Idle, "attacks") == f"{__file__}: Idle: has no hook; {choices}"


def test_only_plain_training_has_no_hook() -> None:
    check_table("attacks", {"plain": changed(Plain)}, Attack)
    hook = {"augment": Attack.mix}
    assert refusal(changed(Plain, **hook), "attacks").endswith(
        "Changed.augment: plain training has no hook; an attack has plain = False"
    )
