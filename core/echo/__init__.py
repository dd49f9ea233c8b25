"""The echo server that can be watched, and the laboratory of I/O models."""
