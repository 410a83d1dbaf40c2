"""What happens to a case: commands decided, facts folded, consequences drawn, the next instant named."""
