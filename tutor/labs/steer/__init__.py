"""The lab "Steering", in which a vector is added to the residual stream."""
