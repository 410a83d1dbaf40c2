"""Simulated hospitals: a FHIR server with moods, one pure function of (seed, effect id), and a book of its own."""
