"""What people look at, selected from read models and operational tables; nothing is changed here."""
