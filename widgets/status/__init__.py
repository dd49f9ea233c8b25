"""The status bar: what the program does, how many packets arrived, and how many were lost."""
