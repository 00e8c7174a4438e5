"""Results as a commit of git has them, read without a checkout."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.core.errors import UserError, cut
from bench.store import Store
from bench.words import RESULTS


@contextmanager
def opened(where: str) -> Iterator[Store]:
    """The results in a folder, or those of a commit: its `results/`, or another folder as `COMMIT:FOLDER`.

    Raises UserError for what is neither, or holds no record.
    """
    if Path(where).is_dir():
        yield _with_records(Store(Path(where), read_only=True), where)
        return
    with TemporaryDirectory(prefix="bench-") as folder:
        archive = _archive(where)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield _with_records(Store(Path(folder), read_only=True), where)


def _with_records(store: Store, where: str) -> Store:
    if not store.find(""):
        raise UserError(f"{cut(where)}: holds no record")
    return store


def _archive(where: str) -> bytes:
    """The folder of a commit as a tar file."""
    commit, _, folder = where.partition(":")
    if not commit or commit.startswith("-") or not _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"):
        raise UserError(f"{cut(where)}: is neither a folder nor a commit of the git repository here")
    tree = _git("rev-parse", "--verify", "--quiet", f"{commit}:{folder or f'./{RESULTS}'}").decode().strip()
    # Told where the repository is, git takes the tree whole; else only what lies below the folder where you are.
    where_git_is = _git("rev-parse", "--absolute-git-dir").decode().strip()
    archive = _git(f"--git-dir={where_git_is}", "archive", "--format=tar", tree) if tree else b""
    if not archive:
        raise UserError(f"{cut(where)}: commit {cut(commit)} has no folder {cut(folder or str(RESULTS))}")
    return archive


def _git(*arguments: str) -> bytes:
    """What git prints; nothing if it fails or is not there."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return b""
