"""Holds what a protocol plans by days: each planned day is owed, and met by what the hospital tells of it."""
