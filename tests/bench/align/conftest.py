from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A portrait that scikit-image carries, about 110 pixels of face in 200."""
    data = pytest.importorskip("skimage.data")
    try:
        return np.ascontiguousarray(data.astronaut()[20:220, 125:325])
    except Exception as error:
        pytest.skip(f"scikit-image's portrait is not here: {error}")
