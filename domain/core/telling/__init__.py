"""Who is to be told by mail of what happens outside cases, and of what is overdue there."""
