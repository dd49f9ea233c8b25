"""Link-layer headers: all headers that can come before the network header."""
