"""From typed text or a captured packet to a draft, and from a draft to bytes."""
