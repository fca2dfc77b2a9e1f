//! The real marketplace client, against recorded traffic and against the simulator.

mod credentials;
pub(crate) mod desk;
mod endings;
mod failures;
pub(crate) mod logs;
mod metering;
mod metering_logs;
mod metering_recorded;
mod operations;
mod paging;
mod recorded;
pub(crate) mod replay;
mod till;
