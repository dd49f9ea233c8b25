"""Presentations of one dissected packet: table row, detail tree, JSON record."""
