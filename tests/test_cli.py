"""`run` as a user meets it: what it prints, writes and returns."""

import json
from pathlib import Path

import pytest

from bench.run import workplace
from tests.commands import GRID, bench, run


def test_run_makes_a_record_for_each_cell_and_a_second_run_does_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    first = {file.name: file.read_bytes() for file in (folder / "results" / "cells").iterdir()}
    assert len(first) == 4
    assert "4 cells: 0 done, 4 to run, 1 at a time, about " in capsys.readouterr().out
    assert run() == 0
    assert {file.name: file.read_bytes() for file in (folder / "results" / "cells").iterdir()} == first
    assert "4 cells: 4 done, 0 to run" in capsys.readouterr().out


def test_a_record_says_what_was_run_what_came_out_and_where(folder: Path) -> None:
    assert run("--scale", "quick", "--only", "method=sc", "--only", "attack=pgd", "--set", "train.momentum=0.5") == 0
    [file] = (folder / "results" / "cells").iterdir()
    record = json.loads(file.read_text())
    assert record["key"] == file.stem
    assert record["asked"] == {
        "grid": "grid",
        "scale": "quick",
        "changes": {"train": {"lr": 0.01}},
        "set": {"train": {"momentum": 0.5}},
    }
    assert record["cell"]["attacks"] == [
        {"name": "pgd", "revision": 1, "radius": "4/255", "steps": 1, "rel_step_size": 0.2, "random_start": True}
    ]
    assert (record["cell"]["train"]["lr"], record["cell"]["train"]["momentum"]) == (0.01, 0.5)
    assert record["history"]["step"] == [1, 2]
    assert record["result"]["final_accuracy"] == record["history"]["test_accuracy"][-1]
    assert record["result"]["peak_accuracy"] == max(record["history"]["test_accuracy"])
    assert record["result"]["test_images"] == 20
    assert record["result"]["chance"] == 0.1
    assert record["cost"] == {"train_passes": 2 * 10 / 128 * 2, "noise_passes": 0.0}
    assert record["noise"]["size"]["linf"] > 6 / 255  # bounded in l2, not in l-inf
    assert record["provenance"]["threads"] == 1


@pytest.mark.parametrize("options", [(), ("--compile",)])
def test_a_record_says_whether_networks_were_compiled_which_they_are_only_if_asked(
    options: tuple[str, ...], folder: Path
) -> None:
    assert run("--only", "method=clean", "--only", "attack=none", *options) == 0
    [file] = (folder / "results" / "cells").iterdir()
    assert json.loads(file.read_text())["provenance"]["compiled"] is bool(options)


def test_dry_run_shows_the_cells_and_their_cost_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert run("--dry-run") == 0
    printed = capsys.readouterr().out
    assert "4 cells, 0 done. To do: 2 passes" in printed
    assert printed.count("PGD 4/255") == 2
    assert sorted(folder.rglob("*")) == before


def test_dry_run_notices_that_a_data_set_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grid.yaml").write_text(
        GRID.replace("[{name: synthetic, size: 8, train_images: 40, test_images: 20}]", "[cifar10]")
    )
    assert run("--dry-run", "--data-root", "nowhere") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cifar10: not in nowhere; name its folder with --data-root, or run without")
    assert captured.err.count("\n") == 1


def test_more_workers_than_cores_are_said_to_be_too_many(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workplace, "default_jobs", lambda devices: 1)
    alone = ("run", "grid.yaml", "--device", "cpu", "--only", "method=clean", "--only", "attack=none", "--jobs")
    assert bench(*alone, "1") == 0
    assert "too many" not in capsys.readouterr().out
    for further in ("--dry-run",), ():
        assert bench(*alone, "2", *further) == 0
        assert "--jobs 2: too many for 1 core, of which each worker keeps one busy" in capsys.readouterr().out


def test_the_plan_holds_the_whole_grid_even_if_only_a_part_is_run(folder: Path) -> None:
    assert run("--only", "method=sc") == 0
    plan = json.loads((folder / "results" / "plans" / "grid-paper.json").read_text())
    assert [(c["method"], c["attack"]) for c in plan["conditions"]] == [
        ("clean", "none"),
        ("clean", "pgd radius=4/255 steps=1"),
        ("sc", "none"),
        ("sc", "pgd radius=4/255 steps=1"),
    ]
    cells = {file.stem for file in (folder / "results" / "cells").iterdir()}
    assert cells == {key for condition in plan["conditions"][2:] for key in condition["cells"]}


def test_a_cell_that_fails_is_recorded_shown_and_makes_the_exit_code_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "grid.yaml").write_text(GRID.replace("[clean, sc]", "[{name: random, radius: 200/255}, clean]"))
    assert run("--only", "attack=none") == 1
    printed = capsys.readouterr().out
    assert "random: a radius of 200/255 is over the 127/255 that int8 noise holds" in printed
    assert "1 finished, 1 failed" in printed
    assert run("--only", "attack=none") == 1
    assert "2 done, 0 to run" in capsys.readouterr().out
    assert run("--only", "attack=none", "--retry-failed") == 1
    assert "1 done, 1 to run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--only", "methd=sc"), "--only methd=sc: write KEY=VALUE; did you mean 'method'?"),
        (
            ("--only", "method=cs"),
            "--only method=cs: no such method in the grid; choices: clean, sc",
        ),
        (("--device", "cuda:77"), "--device cuda:77: no device 'cuda:77' on this machine; choices: auto, "),
        (("--scale", "quik"), "grid.yaml: --scale quik: unknown scale; did you mean 'quick'? (choices: paper, quick)"),
    ],
)
def test_a_wrong_option_is_one_line_exit_code_two_and_nothing_written(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    before = sorted(folder.rglob("*"))
    assert bench("run", "grid.yaml", *arguments) == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(folder.rglob("*")) == before


def test_a_cluster_without_its_package_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run("--cluster", "tcp://one:8786") == 2
    expected = "--cluster tcp://one:8786: needs dask: pip install 'unlearnable-bench[dask]'\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    "content",
    [None, "", "- em\n", "title: [t\n", "title: t\ntitle: u\n", GRID.replace("sc]", "cs]"), GRID + "seed: 1\n"],
)
def test_a_wrong_grid_is_one_line_exit_code_two_and_nothing_written(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is None:
        (folder / "grid.yaml").unlink()
    else:
        (folder / "grid.yaml").write_text(content)
    before = sorted(folder.rglob("*"))
    assert run() == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("grid.yaml: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("words", [("report", "--results", ""), ("run", "grid.yaml", "--only", ""), ("show", "")])
def test_an_empty_value_is_no_folder_and_no_filter(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert bench(*words) == 2
    assert capsys.readouterr().err == "a value is empty: is a variable of the shell not set?\n"
    assert list(tmp_path.iterdir()) == []
