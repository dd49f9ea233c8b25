"""The base of every list: lines drawn when they become visible, a cursor, text in cells."""
