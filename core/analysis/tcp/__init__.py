"""Analysis of flows: streams, and what TCP segments are, in Wireshark's terms."""
