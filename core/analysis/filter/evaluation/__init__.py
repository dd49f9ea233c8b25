"""The evaluation of conditions over columns of values."""
