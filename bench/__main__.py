"""`python -m bench`: the commands, with all that a person can get wrong as one line."""

import os
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, cast

import typer

from bench.cli import COMMAND, app
from bench.core.errors import UserError, refusal
from bench.terminal import terminal

USAGE = cast("type[typer.BadParameter]", typer.BadParameter.mro()[1])
"""What typer raises for options and arguments that are none; it does not export it."""
COMPLETING = ("--install-completion", "--show-completion")


def main() -> None:
    """Run a command; a user's mistake, or what the disk refuses, is one line on standard error, never a traceback.

    SIGTERM, which schedulers of clusters send, stops it as Ctrl-C does: else its workers would go on without it. What
    the terminal cannot show, such as a file's name that is no text, is printed as Python writes it.
    """
    if sys.stdout is None or sys.stderr is None:  # closed, as under some daemons: what is printed there is lost
        nowhere = Path(os.devnull).open("w")  # noqa: SIM115
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if "" in sys.argv:
            raise UserError("a value is empty: is a variable of the shell not set?")
        # A shell completes commands, and `python -m bench` is none.
        name = COMMAND if set(sys.argv[1:2]) & {*COMPLETING} else None
        raise SystemExit(app(args=sys.argv[1:] or ["--help"], prog_name=name, standalone_mode=False))
    except USAGE as error:
        said = " ".join(error.format_message().rstrip(".").replace("Value error, ", "").split())
        said = said.replace(". Choose from:", "; choices:")
        where = error.ctx.command_path if error.ctx else COMMAND
        _fail(UserError(f"{where}: {said[:1].lower()}{said[1:]}; see --help"))
    except UserError as error:
        _fail(error)
    except OSError as error:
        advice = "make it usable, or choose other folders with --results and --data-root"
        _fail(UserError(refusal(error, advice)))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _fail(error: UserError) -> NoReturn:
    terminal(stderr=True).print(str(error), markup=False)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
