"""Search for the next or previous packet that meets a criterion."""
