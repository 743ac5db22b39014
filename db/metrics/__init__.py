"""The metrics of predictions, computed many at a time: as `db/views` defines them, in a tenth of the time.

SQL is the definition: the macro `ranking_of` gives the same numbers, and the tests hold the two equal.
`pairs.py` counts pairs, `series.py` makes metrics of them, `measuring.py` reads what they are made of.
"""
