"""What rawscope does, without a screen: capture, decode, keep, and (later) forge and echo."""
