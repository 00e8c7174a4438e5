"""What holds for methods, attacks and measures alike."""

from pathlib import Path

import pytest

from attacks import ATTACKS
from bench.core.plug_in import Cost, PlugIn
from measures import MEASURES
from methods import METHODS

PLUG_INS: list[tuple[str, type[PlugIn]]] = [*METHODS.items(), *ATTACKS.items(), *MEASURES.items()]


def test_no_two_have_one_name_or_one_title() -> None:
    titles = [settings.title or name.replace("_", " ") for name, settings in PLUG_INS]
    assert len(set(titles)) == len({name for name, _ in PLUG_INS}) == len(PLUG_INS)


@pytest.mark.parametrize("folder", ["methods", "attacks", "measures"])
def test_a_file_without_underscore_holds_a_plug_in_of_the_table_and_no_other_does(folder: str) -> None:
    files = {f"{folder}.{file.stem}" for file in Path(folder).glob("[!_]*.py")}
    assert files == {settings.__module__ for _, settings in PLUG_INS if settings.__module__.startswith(folder)}


def test_costs_add_up() -> None:
    assert Cost.of_images(128, other=64) + Cost(2.0) == Cost(3.0, 0.5)
    assert Cost(3.0, 0.5).total == 3.5
