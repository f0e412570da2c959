from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import resample_poly

from offbeat.media.resample import resample

RATES = [(160, 147), (320, 147), (1, 2), (1, 4), (2, 1), (3, 2), (6, 1), (147, 160), (7, 5), (1000, 999)]


@pytest.mark.parametrize(("up", "down"), RATES)
@pytest.mark.parametrize("count", [1, 50, 7_001])
def test_it_is_what_scipy_computes(up: int, down: int, count: int) -> None:
    noise = np.random.default_rng(count).standard_normal((2, count)).astype(np.float32)
    expected = resample_poly(noise, up, down, axis=1)
    result = resample(noise, up=up, down=down)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, atol=2e-6)


def test_the_builder_does_without_the_slow_import() -> None:
    """scipy.signal takes longer to import than scanning a two-minute source takes."""
    code = "import offbeat.cli.build, sys; sys.exit('scipy.signal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
