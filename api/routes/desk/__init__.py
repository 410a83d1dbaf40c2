"""Serves what the desk works through: tasks."""
