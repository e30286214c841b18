"""What holds for every test. Their database and broker come from ``embedded.pytest_plugin``."""

import hypothesis

# A slow machine is no failure; an example that failed is in the output, not in a directory.
hypothesis.settings.register_profile("tollgate", deadline=None, database=None)
hypothesis.settings.load_profile("tollgate")
