"""Every outside call x every fault, each played through the real product; docs/faults.md is what was seen."""
