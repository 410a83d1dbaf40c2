"""Makes pictures and texts of files that strangers send, in a process of its own that can take nothing with it."""
