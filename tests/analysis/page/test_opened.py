import json
import re
import zlib
from base64 import b64decode
from pathlib import Path

import pytest

from analysis.page.opened import Opened
from analysis.page.page import shared_remarks
from analysis.reading.records import read_results
from analysis.report import _chapter
from analysis.writing.sections import Section, plain_table
from bench.store import Record, Store
from tests.analysis.conftest import Accuracies, results_of


def decoded(opened: Opened) -> list[Record]:
    """The cells as the page's script reads them."""
    said = json.loads(opened.to_json())
    return [
        {
            name: said["parts"][value] if name in said["shared"] and value is not None else value
            for name, value in zip(said["fields"], values, strict=True)
        }
        for values in said["cells"]
    ]


def test_a_cell_has_its_numbers_its_curve_its_cost_and_the_command_that_makes_it_again(tmp_path: Path) -> None:
    opened = Opened([results_of(tmp_path, {("em", "pgd radius=8/255"): [0.25, 0.5]})])
    assert json.loads(opened.to_json())["whole"] == f"python -m bench show KEY --json --results {tmp_path}"
    first, _ = decoded(opened)
    assert (first["final"], first["peak"], first["step"], first["test"]) == (0.25, 0.35, [4, 8], [0.35, 0.25])
    assert first["cost"]["train_passes"] == 110.0
    assert first["run"] == "python -m bench run g --scale small"
    assert first["filters"] == "--only method=em --only 'attack=pgd radius=8/255'"
    assert first["train"] == "steps=800 batch_size=64"
    assert not first["noises"]  # else the command names the noise by its seed


def test_what_cells_share_is_written_once(tmp_path: Path) -> None:
    said = Opened([results_of(tmp_path, {("em", "none"): [0.1, 0.2, 0.3], ("sem", "none"): [0.4]})]).to_json()
    assert said.count("EPYC") == 1
    assert said.count("--only method=em ") == 1


def test_a_number_names_the_cells_that_have_a_record(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("em", "none"): [0.1, None, 0.3], ("em", "pgd"): [0.2], ("sem", "pgd"): [0.4]})
    opened = Opened([results])
    assert [opened.places(one.keys) for one in results.conditions] == ["0-1", "2", "3"]
    assert decoded(opened)[1]["final"] == 0.3
    first, second, third = (one.keys for one in results.conditions)
    assert opened.places([*second, *first]) == "2 0-1"
    assert opened.places([*first, *third]) == "0-1 3"


def test_cells_that_a_number_has_in_any_plan_stand_side_by_side(tmp_path: Path) -> None:
    few = results_of(tmp_path, {("em", "none"): [0.1], ("sem", "none"): [0.2]})
    many = results_of(tmp_path, {("em", "none"): [0.1, 0.2, 0.3], ("sem", "none"): [0.2, 0.3, 0.4]})
    opened = Opened([few, many])
    assert [opened.places(one.keys) for one in (*few.conditions, *many.conditions)] == ["0", "3", "0-2", "3-5"]


def test_cells_stand_once_however_many_plans_have_them(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("em", "none"): [0.1]})
    assert len(decoded(Opened([results, results]))) == 1


def test_what_a_user_set_is_part_of_the_command(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("em", "none"): [0.1]})
    plan = results.plan | {"set": {"train": {"steps": 20}}, "file": "my grids/g.yaml"}
    [cell] = decoded(Opened([read_results("g", plan, Store(tmp_path))]))
    assert cell["run"] == "python -m bench run 'my grids/g.yaml' --scale small --set train.steps=20"


def test_no_text_of_a_record_ends_the_script(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("</script>", "none"): [0.1]})
    packed = Opened([results]).packed()
    assert re.fullmatch(r"[\w+/=]+", packed)
    assert json.loads(zlib.decompress(b64decode(packed))) == json.loads(Opened([results]).to_json())


def test_best_responses_open_the_cells_of_their_attack(tmp_path: Path) -> None:
    runs: Accuracies = {("em", f"attack{number}"): [0.1 * number] for number in range(7)} | {("em", "none"): [0.05]}
    results = results_of(tmp_path, runs)
    table = _chapter(results).sections[0].table
    opened = Opened([results])
    found = {
        head.value: decoded(opened)[int(places)]["final"]
        for head, entry in zip(table.head, table.rows[0].entries, strict=True)
        if (places := opened.places(entry.keys))
    }
    assert found["no attack"] == 0.05
    assert found["accuracy"] == found["recovered"] == pytest.approx(0.6)


def test_what_is_said_under_several_tables_is_said_once() -> None:
    sections = [Section("a", plain_table(["a"], []), remarks=["both", own]) for own in ("first", "second")]
    assert shared_remarks(sections) == ["both"]
