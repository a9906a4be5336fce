"""From ASN.1 text to straight-line Python: parse, model, emit. Pure: text in, text out."""
