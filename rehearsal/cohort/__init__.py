"""Generated families, and the people who do what they owe: the same seed gives the same cohort."""
