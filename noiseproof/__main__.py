"""``python -m noiseproof``."""

from .cli import main

if __name__ == "__main__":
    main()
