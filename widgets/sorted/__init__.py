"""Lists that are sorted by any of their columns, while their figures change."""
