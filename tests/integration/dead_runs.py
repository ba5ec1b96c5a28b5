"""What runs leave that were killed."""

import shutil

from astrodriz_io.storage.workspace import workspace

NAMES = ("a", "prod", "a1q", "a2q")
OWN = (
    "a1q_flt.fits",
    "A2Q_FLC.FITS",
    "prod_drz.fits",
    "a1q_flt_hlet.fits",
    "a1q_flt_IDC_x-HSC30_hlet.fits",
    "a_decisions.json",
    "a.tra",
)


def dead_workspace(home, newpath=None):
    """The workspace of a run of ``a`` that was killed, with files of every kind."""
    home.mkdir(exist_ok=True)
    with workspace(home, "a", newpath=newpath, keep=False, names=NAMES) as space:
        stage = space.folder / "a_aposteriori"
        for folder in (stage, space.scratch / "default", space.untouched, space.folder / ".draft-abcd_f01"):
            folder.mkdir(exist_ok=True)
        for name in OWN:
            (space.folder / name).write_text("half of it")
        (stage / "a1q_flt.fits").write_text("a copy")
        (space.folder / ".draft-abcd_f01" / "a1q_flt.fits").write_text("a copy")
        (space.scratch / "default" / "images_00.raw").write_text("an image")
        shutil.copytree(space.folder, home / "kept")
    space.folder.parent.mkdir(exist_ok=True)
    (home / "kept").rename(space.folder)
    return space.folder
