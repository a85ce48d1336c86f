"""A derivation as a reader sees it: LaTeX with the reasons on the right, or Unicode for a terminal.

Nothing here decides whether a line stands. ``formulas`` writes expressions as LaTeX, ``pictures`` draws that LaTeX in
Unicode and estimates its width on paper, ``latex`` and ``terminal`` lay out whole derivations,
``introducing`` what a page says before them.
"""
