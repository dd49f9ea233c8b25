"""From header values to bytes, and from typed text to header values."""
