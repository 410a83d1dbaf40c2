"""Makes the patient summary (IPS) of a case: a FHIR document of what is known, with silence said [criteria.ips-out]."""
