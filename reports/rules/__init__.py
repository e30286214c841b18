"""The pure arithmetic of reports."""
