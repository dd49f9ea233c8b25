"""What `y` offers to copy: the row, the field, the bytes, the likeliest first."""

from __future__ import annotations
