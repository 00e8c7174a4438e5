"""What people see while a run works, and at its end."""

import errno
import io
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench import display
from bench.core.plug_in import Cost
from bench.display import Watch, shown
from bench.run.forecast import Pace
from bench.run.schedule import Outcome, Task
from bench.run.workplace import Workplace
from bench.store import Store
from tests.builders import cell
from tests.commands import GRID, bench


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """Of two cells, each forecast to take 100 passes and 1,000 seconds; the second is half way."""
    place = Workplace(Store(tmp_path), tmp_path)
    first, second = (Task(cell(seed=seed), Cost(100.0), {}) for seed in range(2))
    names = {first.key: "first [bold]", second.key: "second"}
    watch = Watch(place, Pace([first, second], [1000.0, 1000.0], jobs=1), names, cells=5, ended=3)
    for task in (first, second):
        watch.begin(task)
    file = place.progress_file(second.key)
    file.parent.mkdir()
    file.write_text('{"seconds": 500.0, "passes": 50.0, "step": 1200, "steps": 2400, "loss": 1.25}')
    watch.end(Outcome(first, record={"status": "finished"}, seconds=1000.0))
    watch.begin(replace(first, asked={"again": 1}))
    watch.end(Outcome(replace(first, asked={"again": 1}), again=True))
    return watch


def test_a_look_tells_of_the_whole_run_and_of_each_task(watch: Watch) -> None:
    assert [(line.text, line.done) for line in watch.look()] == [
        ("4 of 5 cells, 8.3 min left", 0.75),
        ("second: step 1,200 of 2,400, loss 1.250, 8.3 min left", 0.5),
    ]


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ('"passes": 50.0', "50 of 100 passes, 8.3 min left"),
        ('"passes": 120.0', "120 passes, 0 s left"),  # the forecast was too low
    ],
)
def test_the_making_of_noise_is_told_in_passes(watch: Watch, stage: str, told: str) -> None:
    key = watch.look()[1].key
    watch.place.progress_file(key).write_text(f'{{"seconds": 500.0, {stage}}}')
    assert watch.look()[1].text == f"second: {told}"


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_in_a_pipe_a_line_with_the_time_comes_again_and_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "SECONDS_OF_LINES", 0.001)
    out = io.StringIO()
    with shown(watch, Console(file=out, width=200)):
        wait_for(lambda: out.getvalue().count("\n") > 1)
    line = out.getvalue().splitlines()[0]
    assert time.strptime(line[:19], "%Y-%m-%d %H:%M:%S")
    assert line[19:] == " 4 of 5 cells, 8.3 min left; second: step 1,200 of 2,400, loss 1.250, 8.3 min left"


def test_a_terminal_has_a_bar_for_all_and_one_for_what_runs(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "SECONDS_OF_BARS", 0.001)
    out = io.StringIO()
    with shown(watch, Console(file=out, width=120, force_terminal=True, color_system=None)):
        wait_for(lambda: "second: step" in out.getvalue())
    assert "75% 4 of 5 cells, 8.3 min left" in out.getvalue()
    assert "50% second: step 1,200 of 2,400, loss 1.250, 8.3 min left" in out.getvalue()


def run(*arguments: str) -> int:
    return bench("run", "grid.yaml", "--jobs", "1", "--device", "cpu", *arguments)


def test_a_run_counts_cells_and_ends_with_its_table_in_the_words_of_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    (tmp_path / "grid.yaml").write_text(GRID.replace("sc]", "{name: sem, surrogate: cnn, updates: 1}]"))
    assert run("--only", "method=clean") == 0
    assert run("--only", "attack=pgd") == 0  # for clean images it is done
    lines = capsys.readouterr().out.splitlines()
    ends = [line.split(": ")[0] for line in lines if line.startswith(("[", "noise"))]
    assert ends == [
        "[1/2] clean against none, cnn on synthetic, seed 0",
        "[2/2] clean against PGD 4/255, 1 step, cnn on synthetic, seed 0",
        "noise of SEM, surrogate CNN, 1 update on synthetic",
        "[2/2] SEM, surrogate CNN, 1 update against PGD 4/255, 1 step, cnn on synthetic, seed 0",
    ]
    [first, second] = [place for place, line in enumerate(lines) if line.startswith("Two methods: cnn on synthetic, ")]
    table = lines[first : lines.index("", first)]
    assert table[0] == "Two methods: cnn on synthetic, test accuracy in %"
    assert " ".join(table[1:]).split()[:-3] == ["PGD", "4/255,", "1", "method", "none", "step"]
    method, *accuracies = table[-1].split()
    assert method == "clean"
    assert [0 <= float(accuracy) <= 100 for accuracy in accuracies] == [True, True]
    assert [line.split()[0] for line in lines[second + 1 : lines.index("", second)]] == [
        "PGD",
        "method",
        "clean",
        "SEM,",
    ]


def test_a_run_ends_with_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    ways = "measures: [{name: separability, folds: [2, 3], images: 100}]\n"
    (tmp_path / "grid.yaml").write_text(GRID.replace("attacks: [", f"{ways}attacks: [", 1))
    assert run("--only", "method=sc") == 0
    lines = capsys.readouterr().out.splitlines()
    [place] = [place for place, line in enumerate(lines) if line.endswith("synthetic, measures of the noise")]
    table = " ".join(lines[place + 1 : lines.index("", place)]).split()
    assert table.count("linear") == 2
    assert len([word for word in table if word.startswith("0.") or word == "1"]) == 4


def test_a_failure_of_the_place_says_what_to_do_and_the_same_command_then_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    (tmp_path / "grid.yaml").write_text(GRID)

    def write(store: Store, key: str, record: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Store, "write", write)
        assert run() == 1
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "0 finished, 0 failed; python -m bench report shows them",
        "4 cells not run, because something here does not work:",
        "  [Errno 28] No space left on device; free some space for results and for temporary files (TMPDIR)",
        "mend that and run again: it goes on by itself",
    ]
    assert run() == 0
    assert "4 finished, 0 failed" in capsys.readouterr().out
