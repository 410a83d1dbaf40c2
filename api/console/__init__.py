"""Shows people in a browser pages over the same reads and the same way of giving commands as the JSON routes."""
