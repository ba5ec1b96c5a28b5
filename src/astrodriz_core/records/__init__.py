"""The frozen records: what was measured, against which threshold, the verdict and the reason.

Records hold numbers, enums, strings and tuples of records, never arrays; `None` stands where a value
does not exist. They are compared by value and can be written to JSON and read back unchanged.
"""
