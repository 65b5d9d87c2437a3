"""What every run begins with, made once, in the process that all of them are forked from (benchmarks/simulate.py)."""

from benchmarks.simulation.weeks import empty_database, reader_for, shipped

empty_database()
reader_for(shipped())
