"""The sheet, the upload and the answer of Classify."""
