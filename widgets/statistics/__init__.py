"""The statistics panel: tables and a plot."""
