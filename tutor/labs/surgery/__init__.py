"""The lab "Surgery", in which parts of the network are switched off."""
