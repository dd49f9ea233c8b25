"""The base of all lists: lines drawn when they are visible, a cursor, text in terminal cells."""
