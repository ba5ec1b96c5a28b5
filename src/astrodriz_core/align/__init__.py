"""Sources, matching, relative and absolute fits, and their quality."""
