"""Behaviour has a name: what computes something else has a new revision, and declares whose revisions it depends on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import unwrap
from pathlib import Path
from pkgutil import iter_modules
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
import torch

import bench.core
from attacks import ATTACKS
from bench.core.adversary import apgd, pgd, tpgd
from bench.core.augment import flip_crop, flip_resized_crop, flip_translate
from bench.core.network_names import MODELS, maker
from bench.core.plug_in import PlugIn
from bench.core.revision import Part
from methods import METHODS
from tests import fingerprints
from tests.fingerprints import read, same, small_method, subjects, summary

KNOWN = read()
REWRITE = "run `python -m tests.fingerprints`, and commit tests/fingerprints.json"
PLUG_INS: dict[str, type[PlugIn]] = {
    **{f"method {name}": kind for name, kind in METHODS.items()},
    **{f"attack {name}": kind for name, kind in ATTACKS.items()},
}
PARTS: list[Part] = [*MODELS.values(), flip_crop, flip_resized_crop, flip_translate, pgd, tpgd, apgd]


@pytest.mark.parametrize("name", subjects())
def test_what_computes_something_else_has_a_new_revision(name: str) -> None:
    subject, known = subjects()[name], KNOWN.get(name)
    assert known, f"{name} is new: {REWRITE}"
    values = subject.values()
    if known["key"] != subject.key:
        pytest.fail(f"{name} has another revision, or other settings: {REWRITE}")
    if not same(known["values"], values):
        pytest.fail(
            f"{name} computes something else under its old name.\n"
            "If that is meant, raise its revision: `revision` of a plug-in, `@revised(...)` of a function in "
            "bench/core, PROTOCOL of the training. If several fail, raise it where the change is, "
            f"once for all that use it or derive from it. Then {REWRITE}.\n{known['values']}\n{values}"
        )


def test_no_fingerprint_is_left_of_what_is_gone() -> None:
    assert KNOWN.keys() == subjects().keys(), REWRITE


def test_what_changed_under_its_old_key_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fingerprints, "FILE", tmp_path / "fingerprints.json")
    gray, median = (subjects()[f"attack {name}"] for name in ("gray", "median"))
    now = {"filter": gray}
    monkeypatch.setattr(fingerprints, "subjects", lambda: now)
    fingerprints.main()
    written = read()
    assert written == {"filter": {"key": gray.key, "values": gray.values()}}
    now["filter"] = gray._replace(compute=median.compute)
    with pytest.raises(SystemExit, match="raise the revision first, nothing is written: filter"):
        fingerprints.main()
    assert read() == written
    now["filter"] = median._replace(key="another")
    fingerprints.main()
    assert read() == {"filter": {"key": "another", "values": median.values()}}


def test_the_last_bits_of_sums_are_no_change_and_another_order_of_pixels_is_one() -> None:
    pixels = torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    values = {"noise": summary(pixels)}
    assert same(values, {"noise": summary(pixels + 1e-4 * pixels.flip(0))})
    assert not same(values, {"noise": summary(pixels.flip(3))})
    assert not same(values, {"noise": summary(1.1 * pixels)})


def test_every_function_of_the_core_with_a_revision_has_a_fingerprint() -> None:
    modules = [import_module(f"bench.core.{one.name}") for one in iter_modules(bench.core.__path__)]
    revised = {one for module in modules for one in vars(module).values() if isinstance(one, FunctionType)}
    found = {one.__name__ for one in revised if "revision" in vars(one)}
    assert found == {part.__name__ for part in PARTS} | {"timm_network"}  # timm's networks are timm's to hold
    assert {name.partition(" ")[2] for name in KNOWN} >= {part.__name__ for part in PARTS}


@contextmanager
def calls() -> Iterator[set[CodeType]]:
    """The code of every Python function that is called meanwhile."""
    found: set[CodeType] = set()

    def notice(frame: FrameType, event: str, argument: Any) -> None:
        found.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(notice)
    try:
        yield found
    finally:
        sys.setprofile(before)


def codes(part: Part) -> set[CodeType]:
    """What is called if a part is used: a function, or one of those that a plug-in's own class holds."""
    functions = vars(part).values() if isinstance(part, type) else [part]
    return {unwrap(function).__code__ for function in functions if isinstance(function, FunctionType)}


@pytest.mark.parametrize("name", PLUG_INS)
def test_a_plug_in_declares_whose_revisions_it_depends_on(name: str) -> None:
    kind, (group, _, short) = PLUG_INS[name], name.partition(" ")
    plug_in = small_method(short) if group == "method" else kind()
    with calls() as called:
        fingerprints.method_results(plug_in) if group == "method" else fingerprints.attack_results(short)
    others = [other for other in PLUG_INS.values() if other not in kind.__mro__]
    used = {part.__name__ for part in [*PARTS, *others] if codes(part) & called}
    ours = {"cnn"} if group == "attack" else set()  # the network that the attack is shown
    declared = {part.__name__ for part in [*plug_in.uses(), *map(maker, plug_in.networks())]}
    assert used - ours <= declared
