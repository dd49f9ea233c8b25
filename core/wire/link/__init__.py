"""Link-layer headers: everything that can stand before the network header."""
