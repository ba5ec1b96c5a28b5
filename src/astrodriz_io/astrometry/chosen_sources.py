"""Which headerlets, guide star offsets and catalogues a run asks, by its settings: local files before services."""

from __future__ import annotations

from astrodriz_io.astrometry.catalog_cache import CacheCatalog
from astrodriz_io.astrometry.catalog_service import ServiceCatalog
from astrodriz_io.astrometry.catalogs import Catalog, FileCatalog
from astrodriz_io.astrometry.guide_stars import GuideStarFile, GuideStarService, GuideStarSource, NoGuideStars
from astrodriz_io.astrometry.headerlet_sources import DatabaseSource, FolderSource, HeaderletSource
from astrodriz_io.astrometry.time_budget import SERVICE_SECONDS, Deadline
from astrodriz_io.settings import Settings

__all__ = ["chosen_catalogs", "chosen_guide_stars", "chosen_headerlets", "stage_deadline"]

GUIDE_STAR_FILE = "guide_star_offsets.json"
"""File in the local folder of headerlets that takes the place of the guide star service."""

STAGES_WITH_SERVICES = 2


def stage_deadline() -> Deadline:
    """The time that one stage's services may take; the stages together keep to the budget of the run."""
    return Deadline(SERVICE_SECONDS / STAGES_WITH_SERVICES)


def chosen_headerlets(settings: Settings, deadline: Deadline) -> HeaderletSource:
    """The local folder where one is given, else the astrometry database."""
    if settings.headerlet_folder is not None:
        return FolderSource(settings.headerlet_folder)
    return DatabaseSource(settings.services.astrometry, deadline)


def chosen_guide_stars(settings: Settings, deadline: Deadline) -> GuideStarSource:
    """The file in the local folder of headerlets where a folder is given, else the guide star service."""
    if settings.headerlet_folder is None:
        return GuideStarService(settings.services.guide_stars, deadline)
    offsets = settings.headerlet_folder / GUIDE_STAR_FILE
    return GuideStarFile(offsets) if offsets.exists() else NoGuideStars()


def chosen_catalogs(settings: Settings, names: tuple[str, ...], deadline: Deadline) -> tuple[Catalog, ...]:
    """The local catalogue where one is given, else those of the service in the order of preference.

    A folder is a cache of catalogues; of these, too, the preferred one comes first.
    """
    if settings.catalog is not None and settings.catalog.is_dir():
        return tuple(CacheCatalog(settings.catalog, name) for name in names)
    if settings.catalog is not None:
        return (FileCatalog(settings.catalog),)
    return tuple(ServiceCatalog(name, settings.services.catalog, deadline) for name in names)
