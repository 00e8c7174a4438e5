"""Folders that cannot be used, and keys that are none: one line, exit code 2, whatever the command."""

import errno
import io
import os
import re
from pathlib import Path

import pytest

from bench.core.files import write_whole
from tests.commands import GRID, bench, run

COMMANDS = [("run", "grid.yaml", "--device", "cpu", "--jobs", "1"), ("report",), ("show", "abc")]
ADVICE = "; make it usable, or choose other folders with --results and --data-root\n"


def line(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on standard error: one line."""
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def a_file(place: Path) -> None:
    place.write_text("")


def a_loop(place: Path) -> None:
    place.symlink_to(place)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("make", "expected"),
    [(a_file, "is no folder"), (a_loop, "cannot be used (Too many levels of symbolic links)")],
)
def test_results_that_are_no_folder(command, make, expected, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(folder / "elsewhere")
    assert bench(*command, "--results", "elsewhere") == 2
    assert line(capsys) == f"--results elsewhere: {expected}\n"


def test_results_inside_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("report", "--results", "grid.yaml/results") == 2
    assert line(capsys) == "--results grid.yaml/results: cannot be used (Not a directory)\n"


@pytest.mark.parametrize("make", [a_file, a_loop])
def test_a_data_root_that_is_no_folder(make, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(folder / "elsewhere")
    assert run("--data-root", "elsewhere") == 2
    assert line(capsys).startswith("--data-root elsewhere: ")
    assert not (folder / "results").exists()


def test_a_folder_in_which_nothing_can_be_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--only", "method=clean", "--only", "attack=none") == 0
    (folder / "results" / "locks").rename(folder / "locks")
    a_file(folder / "results" / "locks")
    capsys.readouterr()
    assert run("--only", "method=clean", "--only", "attack=none") == 2  # nothing to do but to keep the plan
    assert line(capsys) == "--results results: cannot be written (File exists)\n"
    assert bench("report") == 2
    assert line(capsys) == f"results/locks: File exists{ADVICE}"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_is_full_or_read_only(
    number: int, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--only", "method=clean", "--only", "attack=none") == 0
    records = {file.name: file.read_bytes() for file in (folder / "results" / "cells").iterdir()}
    capsys.readouterr()

    def fails(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fails)
    assert run("--only", "method=clean", "--only", "attack=none") == 2  # nothing to do but to keep the plan
    assert line(capsys) == f"--results results: cannot be written ({os.strerror(number)})\n"
    assert bench("report") == 2
    assert line(capsys) == f"results/report/grid-paper.md: {os.strerror(number)}{ADVICE}"
    assert {file.name: file.read_bytes() for file in (folder / "results" / "cells").iterdir()} == records


def test_a_write_that_the_disk_refuses_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match=r"No space left on device: '.*/file'"), write_whole(tmp_path / "file") as stream:
        stream.write(b"content")


@pytest.mark.parametrize("key", ["../../../*", "/etc", "*", "ABC", "a" * 17, "[a-f]", "x" * 1000, "a\nb"])
def test_a_key_that_is_none_reaches_no_folder(key: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for cells in ((), ("00e779e2e3ff805d",)):
        for cell in cells:
            (folder / "results" / "cells").mkdir(parents=True)
            (folder / "results" / "cells" / f"{cell}.json").write_text("{}")
        assert bench("show", key) == 2
        example = [*cells, "0" * 16][0]
        said = line(capsys)
        assert said.endswith(f": a key has up to 16 hexadecimal digits, such as {example}\n")
        assert len(said) < 160


def test_a_record_that_does_not_hold_is_not_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "results" / "cells").mkdir(parents=True)
    (folder / "results" / "cells" / "00e779e2e3ff805d.json").write_text("{}")
    assert bench("show", "00") == 2
    assert line(capsys) == "show 00: its record did not hold\n"
    assert caplog.messages[0].startswith("results/cells/00e779e2e3ff805d.json: no status that a record has")


def settled(file: Path) -> str:
    """A record without its time and without the memory of the process, which a report in between may raise."""
    return re.sub(r'"peak_memory": \d+', "", file.read_text().partition('"time"')[0])


def test_a_broken_record_is_run_again_and_stops_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert run("--only", "attack=none") == 0
    first, second = sorted((folder / "results" / "cells").iterdir())
    kept, result = second.read_bytes(), settled(first)
    first.write_bytes(first.read_bytes()[:100])
    capsys.readouterr()
    assert bench("report") == 0
    assert "1 of 4 cells finished, 0 failed, 3 missing" in capsys.readouterr().out
    assert run("--only", "attack=none") == 0
    assert "1 done, 1 to run" in capsys.readouterr().out
    assert settled(first) == result
    assert second.read_bytes() == kept
    assert len(caplog.messages) == 1


ODD = os.fsdecode(b"od\xffd\n")
"""A name of a file that is no text."""


def test_names_that_are_no_text_go_through_every_command(
    image_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(printed, "ascii", "strict", write_through=True))
    monkeypatch.chdir(image_folder)
    for part in ("train", "val"):
        Path("pets", part, "cat").rename(Path("pets", part, ODD))
    Path("pets/train", ODD, f"{ODD}.txt").write_text("")
    Path("root").mkdir()
    Path("pets").rename(Path("root", ODD + "pets"))
    Path("root").rename(ODD)
    Path(ODD, "pets").symlink_to(ODD + "pets")
    data = "datasets: [{name: folder, path: pets, size: 8, skip_broken: true}]"
    Path(f"{ODD}.yaml").write_text(re.sub("datasets: .*", data, GRID))
    run_it = ("run", f"{ODD}.yaml", "--data-root", ODD, "--results", ODD, "--device", "cpu", "--jobs", "1")
    assert bench(*run_it, "--dry-run") == 0
    assert bench(*run_it) == 0
    assert r"1 left out: train/od\udcffd\n/od\udcffd\n.txt (an empty file)" in printed.getvalue().decode()
    for command in (("report",), ("report", "--table", ODD), ("report", "--table", ODD, "--format", "csv")):
        assert bench(*command, "--results", ODD) == 0
    assert bench("compare", ODD, ODD) == 0
    assert bench("show", next(Path(ODD, "cells").iterdir()).stem, "--results", ODD) == 0
    assert capsys.readouterr().err == ""
    assert bench("run", "nothing.yaml", "--set", f"seeds={ODD}") == 2
