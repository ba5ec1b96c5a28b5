"""The report page: plots, tables and sentences as HTML."""
