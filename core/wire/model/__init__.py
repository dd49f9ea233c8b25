"""Header tables and their fields, the walk over a frame, and the result of a dissection."""
