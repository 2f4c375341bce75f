"""Fast modules for finished models.

network       replaces the plain modules of a network with fast ones
attention     queries, keys and values as views of one product; one fused kernel
linear        weight matrices of 4, 8, 16 and 32 bits
together      the next token of several texts, in one pass
kernels       which kernels this machine has, and which one is fastest
device        a GPU or the CPU
waiting       how the threads of a matrix product wait for each other
free_memory   how much memory is free
shortage      recognizes out-of-memory errors
"""
