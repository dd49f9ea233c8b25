"""Names of addresses and ports: vendors, hosts, services."""
