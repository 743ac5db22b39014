"""The dashboard: Streamlit pages over the warehouse, which they only read.

`serve.command` says how to start it. `main.py` is Streamlit's entry: it lays out what every page shares
and runs one page of `views/`. A page asks its `queries.py` for rows, has `report` shape and draw them,
and shows charts by `widgets/figure.py`; what a reader chose is in the address (`widgets/address.py`):
`widgets/slice_bar.py` has what all pages share of it, `widgets/filters.py` the rest.
"""
