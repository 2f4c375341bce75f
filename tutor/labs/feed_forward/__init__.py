"""The "Neurons" lab, about single neurons of feed-forward networks."""
