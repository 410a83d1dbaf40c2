"""Says how a protocol's criteria stand by what was observed: pure, three-valued, never a decision."""
