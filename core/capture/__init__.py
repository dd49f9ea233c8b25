"""Receive frames: through the kernel's ring, by recvmsg, or from a plain raw socket."""
