"""Forge packets: from a form to frames on the wire, with the user's approval before, and a report
after.
"""
