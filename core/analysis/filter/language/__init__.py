"""The language: the text of a filter to conditions on typed fields."""
