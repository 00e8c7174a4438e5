"""Results of a commit, read without a checkout."""

import subprocess
from pathlib import Path

import pytest

from analysis.reading.commits import opened
from bench.core.errors import UserError
from bench.store import Store
from tests.analysis.conftest import keep, key_of, record


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose first commit has a record in `results`, its second one another in `more/results`."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    for name, folder in (("first", "results"), ("second", "more/results")):
        keep(Store(tmp_path / folder), name, record(0.5))
        git("add", ".")
        git("commit", "--quiet", "--message", name)
        git("tag", name)
    return tmp_path


def found(where: str) -> list[str]:
    with opened(where) as store:
        return store.find("")


def test_a_commit_has_the_records_it_had(repository: Path) -> None:
    keep(Store(repository / "results"), "third", record(0.5))
    assert found("first") == found("second~1") == [key_of("first")]
    assert found("second:more/results") == [key_of("second")]
    assert found("results") == sorted([key_of("first"), key_of("third")])
    with opened("first") as store:
        assert store.read(key_of("first"))["result"]["final_accuracy"] == 0.5
        place = store.root
    assert not place.exists()


def test_the_folder_of_a_commit_is_that_below_the_folder_where_you_are(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "more")
    assert found("second") == [key_of("second")]


def test_no_file_of_the_repository_changes(repository: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in repository.rglob("*")}
    found("first")
    assert {file: file.stat().st_mtime_ns for file in repository.rglob("*")} == before


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("third", "third: is neither a folder nor a commit of the git repository here"),
        ("--all", "--all: is neither a folder nor a commit of the git repository here"),
        (":results", ":results: is neither a folder nor a commit of the git repository here"),
        ("first:more", "first:more: commit first has no folder more"),
        (
            "first:results/cells/none.json",
            "first:results/cells/none.json: commit first has no folder results/cells/non",
        ),
        ("more", "more: holds no record"),
        ("second:more", "second:more: holds no record"),
    ],
)
def test_what_is_neither_a_folder_nor_a_commit_with_records_is_refused(
    where: str, message: str, repository: Path
) -> None:
    with pytest.raises(UserError) as caught:
        found(where)
    assert str(caught.value).startswith(message)


def test_a_file_of_a_commit_is_no_folder(repository: Path) -> None:
    file = f"first:results/cells/{key_of('first')}.json"
    with pytest.raises(UserError, match="commit first has no folder results/cells/"):
        found(file)


def test_without_git_a_folder_can_still_be_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert found("results") == [key_of("first")]
    with pytest.raises(UserError, match="neither a folder nor a commit"):
        found("first")
