"""Classify: the sheet, uploads and the crop box, the answer, and how well it works."""
