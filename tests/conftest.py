"""Random tests draw the same cases in every run, so that a red one is red for a reason; SOAK=1 draws new ones.

None of them is timed: how long an example takes says how busy the machine is.
"""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("soak", derandomize=False, deadline=None)
settings.load_profile("soak" if os.environ.get("SOAK") else "same")
