"""Fast modules for running trained models.

network       replaces the plain modules of a network with fast ones
attention     computes attention with one fused kernel
norm          normalizes vectors
step          computes one block for a single token
linear        multiplies by weight matrices of 4, 8, 16 and 32 bits
together      processes the next token of several texts in one pass
kernels       measures which kernels are fast on this machine
device        chooses a GPU or the CPU
lean_import   imports PyTorch without the packages that aren't needed
waiting       sets how the threads of a matrix multiplication wait for each other
free_memory   finds out how much memory is free
shortage      recognizes out-of-memory errors
"""
