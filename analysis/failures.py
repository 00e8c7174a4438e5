"""The study of failures: every failed cell with its error, and the command that shows the rest."""

from analysis.reading.results import Results
from analysis.writing.sections import LONG, Section, plain_table
from bench.words import command


def sections(results: Results) -> list[Section]:
    """One, if any cell failed; cells with the same error stand together."""
    failed = [cell for cell in results.all_cells if cell["status"] == "failed"]
    if not failed:
        return []
    rows = [
        [
            cell["error"],
            f"{results.title(cell['method'])}, {cell['title'] if 'title' in cell else results.title(cell['attack'])}",
            command(f"show {cell['key']}", results.root),
        ]
        for error in dict.fromkeys(cell["error"] for cell in failed)
        for cell in failed
        if cell["error"] == error
    ]
    table = plain_table(["error", "cell", "what shows it all"], rows, words=range(3))
    return [Section("Failed cells", table, folded=len(rows) > LONG)]
