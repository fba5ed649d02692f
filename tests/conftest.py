"""Random tests draw the same cases in every run, so that a red one is red for a reason; SOAK=1 draws new ones."""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("soak", derandomize=False)
settings.load_profile("soak" if os.environ.get("SOAK") else "same")
