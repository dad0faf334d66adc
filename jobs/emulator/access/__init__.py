"""Access: who calls, what the call is about, which permission it needs, and whether it may."""
