"""Frames in: the kernel's ring, the datagram path, and the plain raw socket."""
