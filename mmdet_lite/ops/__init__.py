"""Pure functions on tensors and arrays: no state, no registry, no config."""
