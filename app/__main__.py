"""Run the command line: ``python -m app`` is ``rawscope``.

The imports take a tenth of a second. Until they are done, ctrl+c ends the process without a word,
where Python would show a traceback.
"""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process, and exit with its status."""
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.cli.main import run_process

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run_process()


if __name__ == "__main__":
    main()
