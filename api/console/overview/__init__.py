"""What the page of a case puts together: costs, criteria, decisions that are open again."""
