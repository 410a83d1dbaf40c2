"""Files of protocols and centres: read whole, every fault by line and reason, before anything is recorded."""
