"""The "Steering" lab, in which a vector is added to the residual stream."""
