"""A module that can't be imported here, as happens to plugins whose own dependencies are absent."""

import a_package_that_nobody_has  # noqa: F401
