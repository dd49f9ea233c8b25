"""The program: command line, wiring of the screen, actions and keys."""

__version__ = "0.1.0"
