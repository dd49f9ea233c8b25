"""The flows panel: conversations and endpoints."""
