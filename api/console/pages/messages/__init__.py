"""The threads of a case: what was written and asked, whether it left, and what came back."""
