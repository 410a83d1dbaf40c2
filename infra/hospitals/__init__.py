"""Hospitals over FHIR R4: what is asked of them, what they may say, and how both are proved."""
