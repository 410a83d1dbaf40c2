"""Selects what people look at from read models and operational tables; nothing is changed here."""
