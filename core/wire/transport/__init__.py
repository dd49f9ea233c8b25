"""Transport headers and their options."""
