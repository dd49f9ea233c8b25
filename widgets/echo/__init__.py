"""The echo server's panel."""
