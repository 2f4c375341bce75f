"""The "Attention formula by hand" lab, which computes one head's attention step by step."""
