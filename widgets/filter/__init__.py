"""The filter bar: the filter of the packet table, and help while the user types one."""
