"""One outside thing per file or folder: ledger, servers, hospitals, mail, keys."""
