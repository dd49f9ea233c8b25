"""What a user is asked before a packet leaves: review, confirmation, and their rules."""
