"""Where a dose is once it left its store: what its lot is told of the way [doses.custody]."""
