"""The local reference catalogue: what Gaia would say of the brighter stars of the field."""

from __future__ import annotations

import numpy as np
from astropy.table import Table

from astrodriz_core.units import MAS_PER_DEGREE
from astrodriz_io.simulate.random_streams import Purpose, stream
from astrodriz_io.simulate.sources import Stars
from astrodriz_io.simulate.spec import SimulationSpec

__all__ = ["REFERENCE_EPOCH", "reference_catalogue"]

REFERENCE_EPOCH = 2016.0
"""Epoch of Gaia EDR3 and DR3, Julian years."""
DEPTH = 5.3
"""The catalogue ends so many magnitudes above the zero point of the filter (G about 21 for ACS F606W)."""
PROPER_MOTION_MAS = 4.0
"""Scatter of proper motions along each axis, mas a year."""
MAGNITUDE_ERROR = 0.03
BRIGHT_ERROR_MAS, FAINT_ERROR_MAS = 0.03, 1.5
ERROR_SLOPE = 0.2
"""Errors grow by 10**(0.2 dm) from the bright limit, as Gaia's do between G of 15 and 21."""
BRIGHT_LIMIT = 11.5
"""Magnitudes above the zero point where the errors start to grow."""
FIRST_IDENTIFIER = 5_000_000_000


def reference_catalogue(spec: SimulationSpec, stars: Stars) -> Table:
    """Return the catalogue of the field at the epoch 2016.0.

    The stars stand at their true positions at the epoch of the observation; the catalogue gives them 6
    or so years of proper motion away, with errors of position and of proper motion.

    Parameters
    ----------
    spec : SimulationSpec
    stars : Stars

    Returns
    -------
    Table
        Columns objID, ra, dec (degrees), ra_error, dec_error (mas), pmra, pmdec, pmra_error, pmdec_error
        (mas a year, pmra with cos dec), mag, ref_epoch. Empty where no star is bright enough.
    """
    kept = stars.magnitude < spec.filter_model.zero_point - DEPTH
    magnitude, sky = stars.magnitude[kept], stars.sky[kept]
    rng = stream(spec.seed, Purpose.CATALOGUE)
    above = spec.filter_model.zero_point - BRIGHT_LIMIT
    error = np.clip(BRIGHT_ERROR_MAS * 10.0 ** (ERROR_SLOPE * (magnitude - above)), BRIGHT_ERROR_MAS, FAINT_ERROR_MAS)
    motion = rng.normal(0.0, PROPER_MOTION_MAS, sky.shape)
    years = REFERENCE_EPOCH - spec.start_epoch
    offset_mas = motion * years + rng.normal(0.0, 1.0, sky.shape) * error[:, None]
    stated = motion + rng.normal(0.0, 1.0, sky.shape) * error[:, None]
    return Table(
        {
            "objID": np.arange(len(magnitude)) + FIRST_IDENTIFIER,
            "ra": sky[:, 0] + offset_mas[:, 0] / MAS_PER_DEGREE / np.cos(np.deg2rad(sky[:, 1])),
            "dec": sky[:, 1] + offset_mas[:, 1] / MAS_PER_DEGREE,
            "ra_error": error,
            "dec_error": error,
            "pmra": stated[:, 0],
            "pmdec": stated[:, 1],
            "pmra_error": error,
            "pmdec_error": error,
            "mag": magnitude + rng.normal(0.0, MAGNITUDE_ERROR, len(magnitude)),
            "ref_epoch": np.full(len(magnitude), REFERENCE_EPOCH),
        }
    )
