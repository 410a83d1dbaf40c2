"""The numbers of the service: the policy file, calendars of working days, and the policies a ledger has known."""
