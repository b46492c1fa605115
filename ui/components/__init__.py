"""Pieces that several pages share: charts, thumbnails, words, colours."""
