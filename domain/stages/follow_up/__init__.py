"""After the journey: fifteen years of visits, leaving early, and giving back what was acquired."""
