"""Visa and travel: letter, visas, stay, fitness, tickets at an open door."""
