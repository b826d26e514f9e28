"""Settings that every test shares."""

from hypothesis import settings

# A slow machine is not a failure, and a failure is the same for everybody.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
