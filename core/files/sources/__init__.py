"""The bytes of a capture: of a mapped file, a growing one, or a stream."""
