"""What travels without the patient: doses and the patient's own cells, from hand to hand [doses.custody]."""
