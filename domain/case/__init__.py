"""Says what one case is: its state, what is owed, what was asked of the world, and the rows a stage states."""
