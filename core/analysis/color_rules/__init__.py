"""Color rules: display filters that give the rows of the packet table their colors."""
