r"""The forward process: how data turn into noise.

Each step keeps :math:`\alpha_t` of the variance and fills up with noise. All steps so far are one step of the same
kind, with the product :math:`\bar\alpha_t`, and so is what lies between two times. Read ``kernel``, ``transition``,
``terminal`` (what is left at the end), ``snr`` (what each step forgets), ``clusters``, ``schedules``.
"""
