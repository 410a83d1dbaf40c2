"""How each kind of effect is carried out: doses, hospitals, mail, erasure."""
