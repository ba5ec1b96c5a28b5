"""What looks unused in the sources and is not, each with who uses it; `make check` looks for dead code beside this."""

# The type of MDRIZTAB and of -p files: these are read by their names, or accepted because AstroDrizzle has them.
_.build
_.stepsize
_.crbit
_.combine_bufsize
_.blot
_.driz_separate
_.driz_sep_wt_scl
_.driz_sep_compress
_.driz_sep_rot
_.driz_sep_scale
_.driz_sep_outnx
_.driz_sep_outny
_.driz_sep_ra
_.driz_sep_dec
_.driz_sep_crpix1
_.driz_sep_crpix2
_.driz_cr_corr
_.driz_combine
_.final_wt_scl
_.final_rot
_.final_scale
_.final_outnx
_.final_outny
_.final_ra
_.final_dec
_.final_crpix1
_.final_crpix2

# Values of those parameters, made from their texts.
_.POINT
_.GAUSSIAN
_.LANCZOS3
_.EXPSQ
_.ONE

# argparse reads it.
_.formatter_class

# For the readers of records: they are written, and nothing is decided by them.
_.psf_stars
_.rotation_error_deg
_.significance
_.east_error_mas
_.north_error_mas
_.scale_error
_.gain_sigma
_.schema_version
_.position_angle_deg

# The templates of the report read these.
_.alignment
_.lead
_.panels
_.strips
_.sections
_.record_name
_.nodes

# For those who read DQ values with `explain_dq`.
_.explanation

# `process` hands its arguments on together.
_.inmemory
_.align_to_gaia
_.do_verify_guiding
_.make_manifest

# Python asks the facade by these.
_.__getattr__
_.__dir__

# attrs calls the validators and the defaults that a decorator names.
_._own_client
_._at_least_one
_._a_time

# pickle calls these.
_.persistent_id
_.persistent_load

# requests calls this.
_.get_connection_with_tls_context

# astroquery calls these, with these keywords.
_.get_connection
_.get_connection_secure
verbose
_.response_class

# Libraries read these attributes: astropy those of a WCS, zipfile that of a member.
_.cpdis1
_.cpdis2
_.det2im1
_.det2im2
_.cunit
_.radesys
_.compress_type

# Read by their names from the simulator's tables.
_.v2ref
_.v3ref
_.theta

# The truth of a simulated exposure, for those who compare with it.
_.error_arcsec
_.roll_error_deg
_.relative_error_pix

# For programs that read the JSON of astrodriz info.
input_pixels
