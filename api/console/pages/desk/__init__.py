"""Shows the worklist and what is done from it: bulk commands, saved views, the search of names."""
