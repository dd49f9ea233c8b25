"""Frames out: what is asked for, the bytes it makes, how they leave, and what became of them."""
