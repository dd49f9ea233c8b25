"""rawscope without a screen: capture, decode, store, forge, echo server, and I/O laboratory."""
