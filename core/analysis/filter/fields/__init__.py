"""The fields that a filter can name."""
