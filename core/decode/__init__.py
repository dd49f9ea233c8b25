"""Decode a batch of frames at once, into columns of numbers."""
