"""Capture files as they are written: bytes from columns, and files that are whole or absent."""
