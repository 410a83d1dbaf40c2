"""What a hospital's developer tries an interface with."""
