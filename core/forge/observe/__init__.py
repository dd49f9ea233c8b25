"""Find sent packets and their replies among captured ones."""
