"""Records: every document, readable and translated, frozen as one dossier."""
