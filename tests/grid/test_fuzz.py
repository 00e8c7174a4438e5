"""Whatever is typed is a grid or one line: texts, structures and --set, made up by hypothesis.

`pytest --hypothesis-profile=long tests/grid/test_fuzz.py` tries 10,000 of each.
"""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks import ATTACKS
from bench.core.datasets import DATASETS
from bench.core.errors import UserError
from bench.core.files import to_json
from bench.core.train import Recipe
from bench.grid.expand import read_grid
from bench.grid.grid_file import GridFile
from bench.grid.plain_yaml import parse
from bench.grid.plan import plan_name, plan_of
from bench.grid.scale import Scale, read_assignments, read_scales
from measures import MEASURES
from methods import METHODS

PLUG_INS = {"datasets": DATASETS, "methods": METHODS, "attacks": ATTACKS, "measures": MEASURES}
GRID: dict[str, Any] = {
    "title": "t",
    "datasets": ["synthetic"],
    "models": ["cnn"],
    "methods": ["clean", {"name": "em", "radius": ["8/255", 0.1]}],
    "attacks": ["none", ["median", {"name": "pgd", "radius": "4/255"}]],
    "train": {"steps": 3},
    "seeds": 2,
}
PIECES = re.findall(
    r"\S+",
    r"""!!int !!set !!timestamp &a *a << : - ? [ ] { } , | > ' " % # ~ 0b_ 0x_ 1:30 .inf 1e999 2001-99-99 --- ... %YAML
    title: methods: em null true 8/255 \U00110000 \ud800""",
)
PIECES += [" ", "\n", "\n  ", "\t", "- ", "9" * 30, "\x01", "\x85"]

fragments = st.sampled_from(PIECES)
texts = st.lists(fragments | st.text(max_size=5), max_size=30).map("".join) | st.text()
odd_numbers = st.sampled_from([0, -1, 0.5, 1e308, 1e-308, 10**17, 10**9, 10**8, 255, 127])
scalars = st.none() | st.booleans() | st.integers(-5, 300) | odd_numbers | st.text(max_size=8) | fragments
scalars |= st.sampled_from(
    ["8/255", "1/0", "inf/1", "nan", "hub", "cnn", "timm/x", "*", "em", "none", "folder", "x" * 500]
)


def nested(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        values, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    )


values = nested(scalars)


def settings_of(fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*fields, "unknown"]), values, max_size=3)


def entries(group: str) -> st.SearchStrategy[Any]:
    names = st.sampled_from(list(PLUG_INS[group]))
    full = names.flatmap(
        lambda name: settings_of(PLUG_INS[group][name].model_fields).map(lambda own: {"name": name, **own})
    )
    return names | full | values


stacks = entries("attacks") | st.lists(entries("attacks"), max_size=3)
keys: dict[str, st.SearchStrategy[Any]] = {
    "datasets": st.lists(entries("datasets"), max_size=2) | values,
    "models": st.lists(scalars, max_size=2) | values,
    "methods": st.lists(entries("methods"), max_size=3) | values,
    "attacks": st.lists(stacks, max_size=3) | values,
    "measures": st.lists(entries("measures"), max_size=2) | values,
    "train": settings_of(Recipe.model_fields) | values,
    "also": st.lists(
        st.fixed_dictionaries(
            {"methods": st.lists(entries("methods")), "attacks": st.lists(stacks)}, optional={"noise_seeds": values}
        )
    )
    | values,
    "at": st.dictionaries(st.sampled_from(["paper", "small"]), settings_of(GridFile.model_fields)) | values,
}
changes = st.lists(
    st.sampled_from([*GridFile.model_fields, "unknown"]).flatmap(
        lambda key: st.tuples(st.just(key), keys.get(key, values))
    ),
    max_size=3,
)
paths = st.sampled_from(
    [
        "train.lr",
        "train.steps",
        "methods.em.radius",
        "methods.*.steps",
        "attacks.pgd.radius",
        "dataset",
        "model",
        "seeds",
    ]
) | st.lists(
    st.sampled_from(["train", "methods", "em", "*", "steps", "", "datasets", "about"]) | st.text(max_size=4)
).map(".".join)
assignments = st.lists(
    st.tuples(paths, texts | values.map(json.dumps)).map("=".join) | st.text(), min_size=1, max_size=3
)


@pytest.fixture(scope="module")
def folder() -> Any:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def is_told_or_works(action: Callable[[], Any]) -> Any:
    """What the action returns; None if it raises a UserError that is one short line. Anything else is an error."""
    try:
        return action()
    except UserError as error:
        said = str(error)
        assert said.isprintable()
        assert len(said) < 2000
        return None


def expand(folder: Path, content: str, user: Scale) -> None:
    """Read a grid at a scale, and write its plan if it is one."""
    file, scales = folder / "grid.yaml", {"paper": Scale(), "small": Scale(multiply={"radius": 2.0, "steps": 0.5})}
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    for name, scale in scales.items():
        grid = is_told_or_works(lambda name=name: read_grid(file, scales, name, user, folder))
        if grid:
            assert to_json(plan_of(grid, "grid.yaml", name, scale, user))
            assert plan_name(grid, name, user)
            assert all(to_json(cell.canonical()) for cell in grid.cells[:10])


@given(texts)
def test_a_text_is_read_or_refused(text: str) -> None:
    is_told_or_works(lambda: parse(text, "grid.yaml"))


@given(texts)
def test_a_file_of_text_is_read_or_refused(folder: Path, text: str) -> None:
    expand(folder, text, Scale())
    is_told_or_works(lambda: read_scales(folder / "grid.yaml"))


@given(changes)
def test_a_structure_is_a_grid_or_refused(folder: Path, change: list[tuple[str, Any]]) -> None:
    expand(folder, json.dumps({**GRID, **dict(change)}), Scale())


@given(assignments)
def test_what_is_set_is_a_change_or_refused(folder: Path, assigned: list[str]) -> None:
    user = is_told_or_works(lambda: read_assignments(assigned))
    if user:
        expand(folder, json.dumps(GRID), user)
