"""Records on disk: the audit of sent packets, drafts, history, and agreed destinations."""
