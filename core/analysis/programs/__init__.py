"""The programs behind flows: which processes hold the sockets of captured packets."""
