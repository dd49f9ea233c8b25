"""The statistics panel in the main screen."""
