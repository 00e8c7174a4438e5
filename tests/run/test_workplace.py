"""What a record says of the code it comes from."""

import subprocess
from pathlib import Path

import pytest

from bench.run import workplace


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=me", "-c", "user.email=me@here", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_is_that_of_the_code_and_not_of_a_checkout_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "project" / ".venv" / "site-packages"
    code.mkdir(parents=True)
    git(tmp_path / "project", "init", "-q")
    git(tmp_path / "project", "commit", "-q", "--allow-empty", "-m", "Begin")
    monkeypatch.setattr(workplace, "CHECKOUT", code)
    workplace._commit.cache_clear()
    assert workplace._commit() == ""
    monkeypatch.setattr(workplace, "CHECKOUT", tmp_path / "project")
    workplace._commit.cache_clear()
    assert workplace._commit() == git(tmp_path / "project", "rev-parse", "--short=12", "HEAD")
    (tmp_path / "project" / "file").touch()
    git(tmp_path / "project", "add", "file")
    workplace._commit.cache_clear()
    assert workplace._commit().endswith("+")
    workplace._commit.cache_clear()
