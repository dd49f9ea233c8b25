"""Filters from the values on the screen, by a key or the menu of the right button."""
