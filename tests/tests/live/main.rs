//! Everything that talks: through the gateway, with a real Redis behind it.

mod executors;
mod faults;
mod gateway;
mod generic;
mod hash;
mod hostile;
mod models;
mod string;
mod values;
