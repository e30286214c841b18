"""Pure rules of rating: dataclasses and Decimals in and out; no Django, no clock, no query."""
