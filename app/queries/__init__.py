"""What the pages ask the warehouse, a module a page: the dashboard's SQL, with bound parameters.

What the report asks as well is in `report.queries`.
"""
