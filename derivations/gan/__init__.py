r"""Generative adversarial networks: what the game measures, and how its players move.

Read ``discriminator`` (the best response and the divergence it reveals), ``generator`` (which slope it follows, which
modes it drops), ``dynamics`` (why two players circle).
"""
