"""The page that is signed, as plain values: whatever its templates lay out is made here."""
