"""Capture files: pcap and pcapng, plain or compressed, read without loading them into memory."""
