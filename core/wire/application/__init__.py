"""One-line readers of application payloads."""
