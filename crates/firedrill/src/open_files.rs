//! How many files and sockets the process may have open.

use anyhow::bail;
use rustix::process::{Resource, getrlimit, setrlimit};

/// What the process needs besides the connections that a flag allows.
const OTHERS: u64 = 64;

/// Makes sure that this many connections can be open, raising the soft limit where it is lower.
///
/// # Errors
/// When the hard limit is lower still; `flag` is what asked for so many.
pub(super) fn allow(connections: u64, flag: &str) -> anyhow::Result<()> {
    let needed = connections.saturating_add(OTHERS);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < needed) {
        bail!("{flag} needs {needed} open files, the system allows {most}: lower it, or raise ulimit -n");
    }
    limit.current = Some(needed);
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        bail!("{flag} needs {needed} open files, and the limit cannot be raised: {error}");
    }
    Ok(())
}
