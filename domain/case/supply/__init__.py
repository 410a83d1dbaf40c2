"""What travels without the patient, as a case knows it."""
