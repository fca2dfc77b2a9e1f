//! What the benchmarks are made with: timing, load, databases, a whole installation, and the table at the end.

pub(crate) mod bare;
pub(crate) mod load;
pub(crate) mod microsoft;
pub(crate) mod postgres;
pub(crate) mod stage;
pub(crate) mod table;
pub(crate) mod timing;
