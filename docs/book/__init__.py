"""The book: pages that are made from the claims, between words that are written by hand.

    python -m docs.book        writes docs/_build/html, in English, and docs/_build/html/zh, in Chinese

``claims`` turns a claim into a section, ``derivations`` sets its lines, ``words`` finds the mathematics in its prose,
``katex`` sets formulas, ``evidence`` reads the committed run, ``languages`` holds what the frame says in each language;
``extension`` tells Sphinx.
"""
