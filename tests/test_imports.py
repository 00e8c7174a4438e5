"""Who may import whom, read from the source files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bench", "methods", "attacks", "analysis")
KERNEL = {
    "protocols",
    "data",
    "adversary",
    "augment",
    "models",
    "perturb",
    "seeding",
    "engine",
    "train",
    "settings",
    "surrogate",
    "memory",
    "weights",
}


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


def importers(*modules: str) -> set[str]:
    return {name for name, found in IMPORTS.items() if found & set(modules)}


def test_imports_are_found_wherever_they_stand() -> None:
    text = "import bench.data\ndef f():\n  from bench import grid\n  from methods import METHODS\n  import torch"
    assert imported("x", text) == {"bench.data", "bench.grid", "methods"}
    assert "bench.adversary" in IMPORTS["attacks.gradient"]
    assert all(len([name for name in FILES if name.startswith(package)]) > 0 for package in PACKAGES)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("methods", "attacks"))])
def test_a_plug_in_imports_only_the_kernel_and_its_own_package(name: str) -> None:
    package = name.split(".")[0]
    allowed = {f"bench.{module}" for module in KERNEL}
    others = {module for module in IMPORTS[name] - allowed if not module.startswith(f"{package}.")}
    assert not others


def test_the_kernel_knows_no_plug_in() -> None:
    for module in KERNEL:
        assert not {found for found in IMPORTS[f"bench.{module}"] if not found.startswith("bench.")}


def test_only_the_grid_knows_the_tables_of_plug_ins() -> None:
    assert importers("methods", "attacks") == {"bench.grid"}
    named = {name for name in FILES if name.startswith(("methods.", "attacks."))}
    assert {name.split(".")[0] for name in importers(*named)} <= {"methods", "attacks"}


def test_only_the_command_line_imports_the_analysis() -> None:
    analysis = {name for name in FILES if name.startswith("analysis")} | {"analysis.report"}
    assert {name for name in importers(*analysis) if not name.startswith("analysis")} <= {"bench.cli"}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("analysis")])
def test_the_analysis_reads_records_and_pictures_and_trains_nothing(name: str) -> None:
    others = {module for module in IMPORTS[name] if not module.startswith("analysis")}
    assert others <= {"bench.store", "bench.data", "bench.settings"}


def test_nothing_imports_the_command_line() -> None:
    assert importers("bench.cli") == {"bench.__main__"}
    assert not importers("bench.__main__")
