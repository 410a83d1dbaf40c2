"""Messages to the family, the doctor at home and hospitals, and what they answer."""
