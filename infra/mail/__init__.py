"""Mail: the words of notices, how they are sent, when they wait, and what becomes of mail that comes back."""
