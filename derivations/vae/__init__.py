r"""The variational autoencoder: its losses, the gradients that train it, and the one that can be solved.

Read ``losses`` (what "squares + KL" says), ``gradients`` (through a sample, and around it), ``linear``, ``principal``
and ``collapse`` (where encoder, decoder and collapse are eigenvalues), ``surgery`` (what the KL term consists of).
"""
