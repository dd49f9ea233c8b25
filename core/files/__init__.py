"""Capture files: pcap and pcapng, plain or compressed, read without being loaded."""
