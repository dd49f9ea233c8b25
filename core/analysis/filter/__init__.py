"""Display filters: Wireshark's language, evaluated over the columns of a chunk."""
