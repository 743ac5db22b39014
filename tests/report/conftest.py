"""What the report's tests have in common."""

from tests.charts import charts_are_made_of_channels as charts_are_made_of_channels
