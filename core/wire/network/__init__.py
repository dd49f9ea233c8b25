"""Network-layer headers, with the options, control messages, and tunnels that belong to them."""
