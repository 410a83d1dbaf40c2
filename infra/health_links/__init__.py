"""SMART Health Links: a link from a patient is decoded, its file is fetched and opened [records.health-link]."""
