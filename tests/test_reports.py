"""`report` and `compare` as a user meets them."""

import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import reports
from bench.store import Store
from tests.analysis.conftest import keep, key_of, place, plan_of, record, results_of
from tests.commands import GRID, bench, run

RUNS = {("em", "none"): [0.2, 0.3], ("sem", "none"): [0.1, None]}


@pytest.fixture
def reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `results` has a plan of four cells, of which three are finished."""
    monkeypatch.chdir(tmp_path)
    results_of(Path("results"), RUNS)
    return tmp_path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The addresses that were opened in a browser."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    return addresses


def test_one_table_is_all_that_is_printed(reported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("markdown", "latex", "csv", "html"):
        assert bench("report", "--table", "g", "--format", form) == 0
        captured = capsys.readouterr()
        assert captured.out.startswith({"markdown": "t. ", "latex": "% t\n", "csv": "plan,", "html": "<table>"}[form])
        assert captured.err == ""
    assert bench("report", "--table", "g-small") == 0
    assert "\n| SEM    |" in capsys.readouterr().out
    assert not Path("results/report").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--table", "h"), "--table h: no such plan or grid in results; choices: g\n"),
        (("--format", "csv"), "--format csv: belongs to --table; name a plan or a grid with it\n"),
        (("--scale", "tiny"), "--scale tiny: belongs to --table; name a plan or a grid with it\n"),
        (("--study", "costs"), "--study costs: belongs to --table; name a plan or a grid with it\n"),
        (
            ("--table", "g", "--open"),
            "--table: prints a table and writes no page; leave out --watch, --open and --gallery\n",
        ),
        (("--data-root", "mine"), "--data-root mine: belongs to --gallery; name a plan or a grid with it\n"),
        (
            ("--table", "g", "--data-root", "mine"),
            "--data-root mine: belongs to --gallery; name a plan or a grid with it\n",
        ),
        (("--gallery", "h"), "--gallery h: no such plan or grid in results; choices: g\n"),
        (
            ("--results", "results", "--results", "theirs"),
            "--results theirs: is not there; run a grid first, or name another folder\n",
        ),
    ],
)
def test_options_that_say_nothing_are_refused_in_one_line(
    options: tuple[str, ...], message: str, reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("report", *options) == 2
    assert capsys.readouterr() == ("", message)
    assert not Path("results/report").exists()


def test_several_folders_are_one_report_that_tells_two_results_of_a_cell(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results_of(Path("theirs"), {("em", "none"): [0.2, 0.5], ("sem", "none"): [0.1, 0.2]})
    assert bench("report", "--results", "results", "--results", "theirs") == 0
    assert capsys.readouterr().out == (
        f"cell {key_of('em-none-1')}: 30.00 % in results, 50.00 % in theirs; the first counts\n"
        "g at scale small: 4 of 4 cells finished, 0 failed, 0 missing\n"
        f"page: {reported / 'results/report/index.html'}\n"
    )


def test_folders_that_cannot_be_read_together_are_refused_in_one_line(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store(Path("theirs")).write_plan("g-small", plan_of([place("em", "none", 1, cells=["0" * 16])]))
    assert bench("report", "--results", "results", "--results", "theirs") == 2
    assert capsys.readouterr() == (
        "",
        "theirs: plan g-small cannot be read together with that of results: "
        "em none is of other cells, of which none is finished\n",
    )


def test_the_page_is_opened_if_asked(
    reported: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("report") == 0
    assert opened == []
    assert bench("report", "--open") == 0
    assert opened == [(reported / "results/report/index.html").as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    capsys.readouterr()
    assert bench("report", "--open") == 0
    assert capsys.readouterr().out.endswith("--open: found no browser here; open that file yourself\n")


def test_watching_writes_again_when_a_record_comes_in_and_ends_by_ctrl_c(
    reported: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, pauses, written = Path("results/report/index.html"), 0, []

    def pause(seconds: float) -> None:
        """What happens between two looks: nothing, a record, nothing, Ctrl-C."""
        nonlocal pauses
        pauses += 1
        written.append(page.stat().st_mtime_ns)
        if pauses == 2:
            keep(Store(Path("results")), "sem-none-1", record(0.2))
        if pauses == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(reports.time, "sleep", pause)
    assert bench("report", "--watch", "--open") == 0
    assert written[0] == written[1] < written[2] == written[3]
    assert len(opened) == 1
    lines = [line.split(" ", 1)[-1] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "g at scale small: 3 of 4 cells finished, 0 failed, 1 missing"
    assert lines[3] == "g at scale small: 4 of 4 cells finished, 0 failed, 0 missing"
    assert len(lines) == 4


def test_compare_says_what_changed_and_fails_only_if_it_moved(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results_of(Path("theirs"), {("em", "none"): [0.21, 0.31], ("sem", "none"): [0.1, 0.2]})
    assert bench("compare", "results", "theirs") == 1
    printed = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert lines[:4] == [
        "d, m, scale small",
        "method attack results theirs difference cells",
        "EM none 25.0 ± 63.5 26.0 ± 63.5 +1.00 ± 0.00 2 in both: moved",
        "1 other condition – – – 1 only in theirs",  # noqa: RUF001
    ]
    assert lines[-2:] == [
        "3 cells in both, 2 with another result; 0 only in results, 1 only in theirs",
        "1 of 2 conditions moved by more than 0 points",
    ]
    assert bench("compare", "results", "theirs", "--tolerance", "1.5") == 0
    assert capsys.readouterr().out.endswith("0 of 2 conditions moved by more than 1.5 points\n")
    assert bench("compare", "results", "theirs", "--format", "markdown") == 1
    assert "| **+1.00 ± 0.00** | 2 in both: moved" in capsys.readouterr().out
    assert bench("compare", "results", "theirs", "--format", "csv") == 1
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_two_folders_without_a_common_cell_are_no_success(reported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results_of(Path("theirs"), {("tap", "none"): [0.2, 0.3]})
    assert bench("compare", "results", "theirs") == 1
    assert capsys.readouterr().out.endswith("the two have no cell in common: nothing was compared\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "results"), "nowhere: is neither a folder nor a commit of the git repository here\n"),
        (("results", "empty"), "empty: holds no record\n"),
        (("results", "results", "--tolerance", "nan"), "--tolerance nan: must be a number of points, 0 or more\n"),
        (("results", "results", "--tolerance", "-1"), "--tolerance -1: must be a number of points, 0 or more\n"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    arguments: tuple[str, ...], message: str, reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    assert bench("compare", *arguments) == 2
    assert capsys.readouterr() == ("", message)


def test_a_report_without_any_plan_says_what_to_do_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("report", "--results", "mine") == 2
    assert capsys.readouterr() == ("", "--results mine: is not there; run a grid first, or name another folder\n")


def test_a_report_before_any_run_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert bench("report") == 1
    assert capsys.readouterr() == ("", "--results results: is not there; run a grid first, or name another folder\n")
    assert not list(tmp_path.iterdir())
    assert not Path("mine").exists()
    Path("mine").mkdir()
    assert bench("report", "--results", "mine") == 1
    hint = "no plan yet: run a grid first: python -m bench run table2 --scale tiny --results mine\n"
    assert hint in capsys.readouterr().out
    assert "python -m bench run table2 --scale tiny --results mine" in Path("mine/report/index.html").read_text()


def test_the_report_can_leave_out_what_attacks_assume(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grid.yaml").write_text(GRID.replace("[none, ", "[none, partial_poisoning, "))
    assert run("--only", "method=clean") == 0
    assert bench("report") == 0
    assert "grid at scale paper: 2 of 5 cells finished" in capsys.readouterr().out
    assert bench("report", "--without", "clean images", "--without", "clean pairs") == 0
    assert "grid at scale paper: 2 of 4 cells finished" in capsys.readouterr().out
    assert bench("report", "--without", "clean image") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "--without clean image: unknown assumption; did you mean 'clean images'? "
        "(choices: clean images, clean pairs, pretrained weights, the protection)\n"
    )
