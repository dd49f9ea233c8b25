"""The laboratory of I/O models: the same echo work under each, measured."""
