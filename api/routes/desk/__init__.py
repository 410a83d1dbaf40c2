"""What the desk works through: tasks."""
