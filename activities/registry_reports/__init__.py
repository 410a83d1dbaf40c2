"""Makes what registries of cell therapy are told of a case, and the yearly questions of follow-up, as FHIR R4."""
