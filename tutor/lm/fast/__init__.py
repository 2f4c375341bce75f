"""Modules that make a finished model fast.

network       the fast modules, put in the places of the plain ones
attention     queries, keys and values as views of one product; one fused kernel
linear        matrices of 4, 8, 16 and 32 bits
together      the next token of several texts, in one pass
kernels       which ways to multiply this machine has, and which is fastest here
device        a graphics card or the CPU
waiting       how the threads that multiply wait for each other
free_memory   how much memory is left; `shortage` recognizes the errors where it is not enough
"""
