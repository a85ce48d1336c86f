r"""Generative adversarial networks: what the game measures, and how its players move.

Read ``discriminator`` (the best response), ``divergence`` (what it measures), ``equilibrium`` (what an answer of one
half means), ``generator`` (which slope it follows, which modes it drops), ``dynamics`` (why two players circle).
"""
