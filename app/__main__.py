"""Run the command line: ``python -m app`` is ``rawscope``."""

from app.cli.main import main

if __name__ == "__main__":
    main()
