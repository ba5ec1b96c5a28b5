"""Which headerlets, guide star offsets and catalogues a run asks, by its settings: local files before services."""

from __future__ import annotations

from pathlib import Path

from astrodriz_core.parameters.alignment import CATALOG_ORDER
from astrodriz_io.catalogs.cache import CacheCatalog, catalog_names
from astrodriz_io.catalogs.files import Catalog, FileCatalog
from astrodriz_io.catalogs.gaia_archive import GaiaArchive
from astrodriz_io.catalogs.service import ServiceCatalog
from astrodriz_io.run.settings import GAIA_ARCHIVE, Settings
from astrodriz_io.services.guide_stars import GuideStarFile, GuideStarService, GuideStarSource, NoGuideStars
from astrodriz_io.services.headerlet_sources import DatabaseSource, FolderSource, HeaderletSource
from astrodriz_io.services.time_budget import SERVICE_SECONDS, TimeBudget

__all__ = ["chosen_catalogs", "chosen_guide_stars", "chosen_headerlets", "stage_budget"]

GUIDE_STAR_FILE = "guide_star_offsets.json"
"""File in the local folder of headerlets that takes the place of the guide star service."""

STAGES_WITH_SERVICES = 2


def stage_budget() -> TimeBudget:
    """The time that one stage's services may take; the stages together keep to the budget of the run."""
    return TimeBudget(SERVICE_SECONDS / STAGES_WITH_SERVICES)


def chosen_headerlets(settings: Settings, budget: TimeBudget) -> HeaderletSource:
    """The local folder where one is given, else the astrometry database."""
    if settings.headerlet_folder is not None:
        return FolderSource(settings.headerlet_folder)
    return DatabaseSource(settings.services.astrometry, budget)


def chosen_guide_stars(settings: Settings, budget: TimeBudget) -> GuideStarSource:
    """The file in the local folder of headerlets where a folder is given, else the guide star service."""
    if settings.headerlet_folder is None:
        return GuideStarService(settings.services.guide_stars, budget)
    offsets = settings.headerlet_folder / GUIDE_STAR_FILE
    return GuideStarFile(offsets) if offsets.exists() else NoGuideStars()


def chosen_catalogs(settings: Settings, names: tuple[str, ...], budget: TimeBudget) -> tuple[Catalog, ...]:
    """The local catalogue where one is given, else those of the service in the order of preference.

    A folder is a cache: its catalogues are taken in the order of preference, too.
    """
    chosen = settings.catalog
    if chosen is None:
        return tuple(ServiceCatalog(settings.services.catalog, budget, name=name) for name in names)
    if chosen.is_dir():
        return tuple(CacheCatalog(chosen, name) for name in _ranked(catalog_names(chosen)) or names)
    if chosen == Path(GAIA_ARCHIVE) and not chosen.exists():
        return tuple(GaiaArchive(name, budget) for name in names if name.upper().startswith("GAIA"))
    return (FileCatalog(chosen),)


def _ranked(names: tuple[str, ...]) -> tuple[str, ...]:
    """Catalogues of a cache, the preferred one first; those of unknown rank at the end."""
    order = [name.upper() for name in CATALOG_ORDER]
    return tuple(sorted(names, key=lambda name: order.index(name.upper()) if name.upper() in order else len(order)))
