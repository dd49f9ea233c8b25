"""``rawscope dump``: print packets from a file or an interface."""
