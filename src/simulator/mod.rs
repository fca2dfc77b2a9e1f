//! Everything at Microsofts end.
