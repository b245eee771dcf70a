//! How one program talks to others over a network, and shows safely what they said.
//!
//! Reading order: [`Target`] is a URL that was checked, [`HostPort`] whom to connect to; a [`Connector`] connects to a
//! name whose addresses change, over `tls` where that is wanted, and [`Readiness`] remembers whether somebody listens.
//! [`Client`] asks one question with [`Credentials`] and reads one answer, bounded in size and time; [`forward`] puts
//! one address before several replicas. [`shutdown`] ends what runs, [`sanitize`] keeps texts from outside from acting
//! on a terminal or a document.

pub mod client;
mod connector;
mod credentials;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
pub mod forward;
mod host_port;
mod readiness;
pub mod sanitize;
pub mod shutdown;
mod target;
mod tls;

pub use client::Client;
pub use connector::{Connector, FRESH, Opened, Unreached};
pub use credentials::{Credentials, Unsendable};
pub use host_port::{HostPort, Misnamed};
pub use readiness::Readiness;
pub use target::{NoTarget, Target};
pub use tls::{NoTrust, Stream, Trust};

/// What this program calls itself in what it asks of others, as `User-Agent`.
pub const AGENT: &str = concat!("firedrill/", env!("CARGO_PKG_VERSION"));
