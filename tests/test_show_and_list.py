"""`show`, `list`, `--help` and what a shell completes."""

import os
from pathlib import Path

import pytest

from bench.cli import app
from bench.core.settings import digest
from bench.store import Store
from tests.analysis.conftest import cell_of, keep, key_of, record
from tests.commands import GRID, bench, run


def test_show_says_a_cell_in_words_and_prints_its_record_if_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--only", "method=sc", "--only", "attack=pgd", "--results", "my results") == 0
    [file] = (folder / "my results" / "cells").iterdir()
    capsys.readouterr()
    assert bench("show", file.stem[:6], "--json", "--results", "my results") == 0
    assert capsys.readouterr().out == file.read_text()
    assert bench("show", file.stem[:6], "--results", "my results") == 0
    printed = capsys.readouterr().out
    for line in (
        f"cell {file.stem}: finished\n",
        "asked     SC against PGD 4/255, 1 step; cnn on synthetic size=8 train_images=40 test_images=20; victim ",
        "grids     grid-paper\n",
        " % of 20 test images (peak ",
        f"python -m bench show {file.stem} --json --results 'my results'\n",
    ):
        assert line in printed


def test_show_tells_why_a_cell_failed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grid.yaml").write_text(GRID.replace("[clean, sc]", "[{name: random, radius: 200/255}]"))
    assert run("--only", "attack=none", "--results", "mine") == 1
    [file] = (folder / "mine" / "cells").iterdir()
    assert f"(python -m bench show {file.stem} --results mine)" in " ".join(capsys.readouterr().out.split())
    assert bench("show", file.stem, "--results", "mine") == 0
    printed = capsys.readouterr().out
    assert f"cell {file.stem}: failed\n" in printed
    assert "\nTraceback " in printed
    assert "error     " in printed
    assert " % of " not in printed.partition("Traceback")[0]


def test_a_wrong_key_is_answered_with_five_neighbours_at_most(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("show", "abc") == 2
    assert (
        capsys.readouterr().err
        == "show abc: no such cell in results (--results names another folder); there is none yet\n"
    )
    (folder / "results" / "cells").mkdir(parents=True)
    for number in range(10):
        (folder / "results" / "cells" / f"{number}0{'0' * 14}.json").write_text("{}")
    assert bench("show", "55") == 2
    around = ", ".join(f"{number}0{'0' * 14}" for number in (4, 5, 6, 7, 8))
    assert (
        capsys.readouterr().err
        == f"show 55: no such cell in results (--results names another folder); the nearest: {around}\n"
    )


@pytest.mark.parametrize(
    ("what", "expected"),
    [("datasets", "cifar10"), ("models", "resnet18"), ("measures", "stability")],
)
def test_list_names_every_plug_in(what: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", what) == 0
    assert f" {expected} " in capsys.readouterr().out


def test_list_grids_tells_what_each_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "grids") == 0
    assert "\n table2 " in capsys.readouterr().out


def test_a_grid_that_cannot_be_read_has_a_line_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grids").mkdir()
    (tmp_path / "grids" / "broken.yaml").write_text("title: [")
    os.mkfifo(tmp_path / "grids" / "pipe.yaml")
    monkeypatch.chdir(tmp_path)
    assert bench("list", "grids") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "broken grids/broken.yaml: " in said
    assert "pipe grids/pipe.yaml: is no file" in said
    assert " table2 Table 2: " in said
    assert bench("run", "grids/pipe.yaml", "--dry-run") == 2


def test_a_record_is_printed_as_it_is_and_in_words_without_emoji(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ("time", "provenance")
    failure = {"status": "failed", "error": "KeyError :x: at a:100:b", **{part: record(0.5)[part] for part in parts}}
    keep(Store(tmp_path), "one", failure)
    key = key_of("one")
    assert bench("show", key, "--json", "--results", str(tmp_path)) == 0
    assert capsys.readouterr().out == Store(tmp_path).cell_file(key).read_text()
    assert bench("show", key, "--results", str(tmp_path)) == 0
    assert "KeyError :x: at a:100:b" in capsys.readouterr().out


def test_a_measure_may_call_a_number_as_victims_call_theirs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = {name: part for name, part in cell_of("one").items() if name not in ("attacks", "model", "train")}
    cell |= {"measure": {"name": "mine"}, "train": None}
    made = {name: part for name, part in record(0.5).items() if name != "history"}
    made |= {"result": {"final_accuracy": 0.5}, "cost": {"measure_passes": 1.0, "noise_passes": 2.0}}
    made["time"] |= {"measure_seconds": 3.0}
    Store(tmp_path).write(digest(cell), {"key": digest(cell), "asked": {}, "cell": cell, **made})
    assert bench("show", digest(cell), "--results", str(tmp_path)) == 0
    assert "final_accuracy 0.5" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "report", "compare", "list", "show", "schema"])
def test_the_help_of_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(command, "--help") == 0
    assert f"python -m bench {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("run table1", "table1 table11 table14"),
        ("run table2 --scale ", "paper small long tiny"),
        ("list methods se", "sem"),
        ("list attacks medi", "median"),
        ("show --results results 00", "00aa"),
        ("show --results nowhere 00", ""),
        ("report --results results --table ", "grid-paper"),
    ],
)
def test_a_shell_completes_names(
    typed: str, offered: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "results" / "cells").mkdir(parents=True)
    for key in ("00aa", "01aa"):
        (folder / "results" / "cells" / f"{key}.json").write_text("{}")
    (folder / "results" / "plans").mkdir()
    (folder / "results" / "plans" / "grid-paper.json").write_text("{}")
    monkeypatch.setenv("_BENCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"bench {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" "))))
    with pytest.raises(SystemExit) as stopped:
        app(prog_name="bench")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.split() == offered.split()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("show", "show: missing argument 'cell'; see --help"),
        ("compare a b --format x", "compare: invalid value for '--format': 'x' is not one of 'table', 'markdown', 'c"),
        ("run grid.yaml --jobs 0", "run: invalid value for '--jobs': "),
        (f"run grid.yaml --jobs {10**20}", "run: invalid value for '--jobs': "),
        (f"run grid.yaml --seeds {10**20}", "run: invalid value for '--seeds': "),
        (f"run grid.yaml --noise-seeds {10**20}", "run: invalid value for '--noise-seeds': "),
        ("list", ": missing argument 'what'; choices: methods, attacks, measures, datasets, models, grids; see --help"),
        ("report --tabel x", "report: no such option: --tabel "),
        ("nothing", ": no such command 'nothing'; see --help"),
    ],
)
def test_what_a_command_does_not_know_is_one_line(
    typed: str, expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(*typed.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert expected in captured.err
    assert captured.err.count("\n") == 1


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench() == 0
    assert "Which unlearnable examples protect" in capsys.readouterr().out
