"""The themes: Textual's own, and one of high contrast.

The widgets take every color from theme variables, so a theme is only a set of variables.
`HIGH_CONTRAST` keeps text and accent at 7:1 or better against the background (WCAG 2.2, success
criterion 1.4.6) and separates the panels by pure lines instead of shades.
"""

from __future__ import annotations

from textual.theme import Theme

DEFAULT = "textual-dark"

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#5cd6ff",
    secondary="#5cd6ff",
    accent="#5cd6ff",
    warning="#ffd75f",
    error="#ff8f8f",
    success="#7dff7d",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    boost="#262626",
    dark=True,
    text_alpha=1.0,
    variables={
        "text-muted": "#c8c8c8",
        "panel-line": "#ffffff",
        "block-cursor-background": "#5cd6ff",
        "block-cursor-foreground": "#000000",
        "input-selection-background": "#5cd6ff 40%",
    },
)

THEMES = (HIGH_CONTRAST,)

DEFAULT_VARIABLES = {"panel-line": "#808080 60%"}  # between panels, on dark and on light themes
