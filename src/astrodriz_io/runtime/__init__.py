"""The process that a run lives in: progress, threads, memory, signals, log, warnings of libraries."""
