"""The program: command line, wiring of the screen, actions and keys.

Textual paints when its update timer ticks, at most `TEXTUAL_FPS` times a second, and a tick that
comes late skips the next one as well: at its default of 60, a key that comes while something else
is painted was answered 25 to 33 ms later than it could be. At 120 it is half of that. Nothing is
painted more often for it: what changes by itself changes ten times a second. Textual reads the
variable when it is imported, so it is set here; who has set it already has the last word.
"""

import os

os.environ.setdefault("TEXTUAL_FPS", "120")

__version__ = "0.1.0"
