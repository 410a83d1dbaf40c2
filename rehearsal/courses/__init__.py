"""Published patient courses, played as they are told; what no rule of ours can play is named."""
