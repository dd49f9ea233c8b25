"""The packet-crafting form and its report."""
