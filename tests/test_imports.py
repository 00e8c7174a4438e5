"""Who may import whom, read from the source files."""

import ast
from pathlib import Path

import pytest

import bench.core

ROOT = Path(__file__).parent.parent
PACKAGES = ("bench", "methods", "attacks", "measures", "analysis", "benchmarks")
PLUG_INS = {"methods", "attacks", "measures"}
READ = {"bench.store", "bench.core.settings", "bench.core.errors", "bench.core.synthetic", "bench.words"}
"""What analysis may import of `bench`: nothing that trains."""
ROOMS = {
    "bench.core": set[str](),
    "bench.words": set[str](),
    "bench.checked": {"bench.core"},
    "bench.trained": {"bench.core", "bench.checked"},
    "bench.accounts": {"bench.checked"},
    "bench.record": {"bench.core", "bench.checked", "bench.accounts", "bench.trained"},
    "bench.plan_file": {"bench.core", "bench.checked"},
    "bench.terminal": set[str](),
    "bench.options": {"bench.core", "bench.completion", "bench.words"},
    "bench.store": {"bench.core", "bench.checked", "bench.record", "bench.plan_file"},
    "bench.grid": {"bench.core", *PLUG_INS},
    "bench.run": {"bench.core", "bench.store", "bench.grid"},
    "bench.summary": {"bench.core", "bench.store", "bench.words"},
    "bench.cards": {"bench.core", "bench.words", "bench.grid"},
    "bench.reports": {"bench.core", "bench.words", "bench.cards", "analysis"},
    "bench.gallery": {"bench.core", "bench.store", "bench.grid", "bench.run", "analysis"},
    "bench.catalogue": {"bench.core", "bench.words", "bench.terminal", "bench.grid", "bench.cards", "analysis"},
    "bench.completion": {"bench.store", "bench.words", "bench.grid"},
    "bench.display": {"bench.core", "bench.words", "bench.run"},
    "bench.outcomes": {"bench.core", "bench.words", "bench.store", "bench.grid", "bench.run"},
    "bench.console": {
        *("bench.core", "bench.words", "bench.grid", "bench.run", "bench.display", "bench.outcomes"),
    },
    "bench.protect": {
        *("bench.core", "bench.words", "bench.grid", "bench.run", "bench.display", "bench.outcomes", "bench.console"),
    },
    "bench.cli": {
        *("bench.core", "bench.store", "bench.words", "bench.run", "bench.summary", "bench.completion"),
        *("bench.console", "bench.options", "bench.protect", "bench.catalogue", "bench.gallery", "bench.reports"),
        *("bench.terminal", "analysis"),
    },
    "bench.__main__": {"bench.cli", "bench.core", "bench.terminal"},
    "methods": {"bench.core"},
    "attacks": {"bench.core"},
    "measures": {"bench.core"},
    "analysis": READ,
    "analysis.numbers": set[str](),
    "analysis.reading": {"analysis.numbers", *READ},
    "analysis.writing": {"analysis.numbers", "analysis.reading", *READ},
    "analysis.drawing": {"analysis.numbers", "analysis.reading", "analysis.writing", *READ},
    "analysis.page": {*(f"analysis.{room}" for room in ("reading", "writing", "drawing", "claims")), *READ},
    "benchmarks": {"bench.core", "bench.store", "bench.grid", "bench.run", "methods", "attacks"},
}
"""What each room may import of ours, besides itself."""


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_name(file): file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))}


def imported(name: str, text: str) -> set[str]:
    """Modules of ours that the source `text` of module `name` imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively; write the whole name"
            for alias in node.names:
                part = f"{node.module}.{alias.name}"
                found.add(part if part in FILES else str(node.module))
    return {module for module in found if module.split(".")[0] in PACKAGES}


IMPORTS = {name: imported(name, file.read_text()) for name, file in FILES.items()}


def within(name: str, *rooms: str) -> bool:
    """Whether a module is one of `rooms` or lies in one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def modules(*rooms: str) -> list[str]:
    return [name for name in FILES if within(name, *rooms)]


def foreign(name: str, *rooms: str) -> set[str]:
    """What a module imports from elsewhere than `rooms`."""
    return {module for module in IMPORTS[name] if not within(module, *rooms)}


def test_imports_are_found_wherever_they_stand() -> None:
    text = "import bench.core.data\ndef f():\n  from bench import grid\n  from methods import METHODS\n  import torch"
    assert imported("x", text) == {"bench.core.data", "bench.grid", "methods"}
    assert IMPORTS["attacks.gradient"] == {"bench.core"}
    assert all(modules(room) for room in (*PACKAGES, *ROOMS))


@pytest.mark.parametrize("name", modules("methods", "attacks", "measures"))
def test_a_plug_in_imports_the_core_in_one_block_and_its_own_package(name: str) -> None:
    package = name.split(".")[0]
    assert not {module for module in IMPORTS[name] if module != "bench.core" and not within(module, package)}


def test_the_core_exports_what_plug_ins_use_and_no_more() -> None:
    used = {
        alias.name
        for name in modules("methods", "attacks", "measures")
        for node in ast.walk(ast.parse(FILES[name].read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "bench.core"
        for alias in node.names
    }
    assert set(bench.core.__all__) == used
    assert len(bench.core.__all__) == len(used)


@pytest.mark.parametrize("name", FILES)
def test_a_room_imports_what_it_may(name: str) -> None:
    homes = [room for room in ROOMS if within(name, room)]
    assert homes or name == "bench"
    for room in homes:
        assert not foreign(name, room, *ROOMS[room])


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_may_import_it_does(room: str) -> None:
    met = {module for name in modules(room) for module in IMPORTS[name]}
    own = ROOMS[room] - (READ if room.startswith("analysis.") else set())
    assert not [allowed for allowed in own if not any(within(module, allowed) for module in met)]


def test_no_two_rooms_import_each_other() -> None:
    for room, allowed in ROOMS.items():
        assert not [other for other in allowed if room in ROOMS.get(other, ())]


def test_only_the_report_knows_the_page() -> None:
    outside = {name for name in modules("analysis") if not within(name, "analysis.page")}
    assert {name for name in outside if any(within(one, "analysis.page") for one in IMPORTS[name])} == {
        "analysis.report"
    }


def test_one_file_knows_the_tables_of_plug_ins() -> None:
    assert {name for name in modules("bench") if {"methods", "attacks"} & IMPORTS[name]} == {"bench.grid.plug_ins"}
    for name in modules("bench", "analysis"):
        assert not {module for module in IMPORTS[name] if module.startswith(("methods.", "attacks."))}


def test_nothing_imports_the_command_line() -> None:
    assert {name for name, found in IMPORTS.items() if "bench.cli" in found} == {"bench.__main__"}
    assert not {name for name, found in IMPORTS.items() if "bench.__main__" in found}
