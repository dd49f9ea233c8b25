"""The stream panel: what both ends of a TCP or UDP stream sent, as text, hex, or raw."""
