"""The "Probe" lab, in which linear probes read a property of a text from the residual stream."""
