"""The meaning of bytes on the wire. Pure functions: no I/O, no clock, no state."""
