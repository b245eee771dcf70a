//! Whose traffic a request is: a short list, fixed at start.

/// The names that may stand in the `workload` label.
///
/// A name that is not in the list counts as [`Workloads::OTHER`], so that no client can
/// invent a label value and grow the number of series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workloads(Vec<String>);

impl Workloads {
    /// What any name outside the list counts as.
    pub const OTHER: &str = "other";
    /// How many names a list may have: each one multiplies the number of series.
    pub const MOST: usize = 16;

    /// Checks a list of names.
    ///
    /// # Errors
    /// A sentence about the name that cannot be used.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Result<Self, String> {
        let mut list = Vec::new();
        for name in names.into_iter().map(Into::into) {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
            if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
                return Err(format!("workload {name:?}: expected 1 to 32 of a-z, 0-9, - and _"));
            }
            if name != Self::OTHER && !list.contains(&name) {
                list.push(name);
            }
        }
        if list.len() > Self::MOST {
            return Err(format!("{} workloads: expected at most {}", list.len(), Self::MOST));
        }
        list.push(Self::OTHER.to_owned());
        Ok(Self(list))
    }

    /// The names, with [`Workloads::OTHER`] last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Default for Workloads {
    /// The steady demonstration, drills, and the page in a browser.
    fn default() -> Self {
        Self(["demo", "drill", "web", Self::OTHER].map(str::to_owned).into())
    }
}
