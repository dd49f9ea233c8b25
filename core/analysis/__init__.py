"""Analyses of the packets in a store."""
