"""The process that a run lives in: progress, threads, worker processes, memory, signals, log, warnings of libraries."""
