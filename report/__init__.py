"""What is drawn and stated of a warehouse: the paper's figures, and what becomes of its findings.

The dashboard shows the same charts as the pages of `nasrank-train report`. `queries.py` asks the warehouse,
`labels.py` and `ranking_table.py` shape the answers, `ranking_chart.py` draws them.
"""
