"""Conversations and endpoints: who talks with whom, how much, and for how long."""
