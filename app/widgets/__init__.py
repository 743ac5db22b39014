"""What pages share: filters in the URL, figures with their files, selections, parts that refresh."""
