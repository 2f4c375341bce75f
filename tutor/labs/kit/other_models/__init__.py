"""Models that labs use in addition to the loaded one."""
