"""The "Surgery" lab, in which parts of the network are switched off."""
