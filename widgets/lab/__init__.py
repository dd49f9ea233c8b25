"""Plots and tables of the I/O laboratory."""
