"""What each command of the command line does; `app.cli` only reads the arguments.

The headless commands never import textual: `tests/app/test_cli_imports.py` watches that.
"""
