"""The lab "Attention formula by hand", which computes one head's attention step by step."""
