"""The lab "Neurons of a feed-forward network"."""
