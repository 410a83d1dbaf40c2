"""The ledger for other tools: CloudEvents, FHIR AuditEvent, XES. Nothing personal unless somebody opened it first."""
