"""Flow matching: a velocity that carries noise to data.

Read ``velocity`` (the velocity of one path, and of all the paths through a point),
``score`` (the velocity from the score),
``gaussian`` (where every point goes, if the data are Gaussian),
``euler`` (one step from the noise to the data, and when it is exact),
``transport`` (what it costs to go there).
"""
