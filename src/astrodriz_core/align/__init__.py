"""How exposures are fitted: sources, matching, relative and absolute fits, the quality of a fit."""
