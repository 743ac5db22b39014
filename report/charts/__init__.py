"""Every chart and every label, for the dashboard and the report."""
