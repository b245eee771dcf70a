//! Targets of Prometheus, and how their scrapes went.

use crate::evidence::{Labels, Sample, Series};

/// The labels by which Prometheus tells targets apart.
const TARGET: [&str; 2] = ["job", "instance"];

/// Whether two series come from the same target.
pub(crate) fn of_same_target(one: &Labels, other: &Labels) -> bool {
    TARGET.iter().all(|name| one.get(*name) == other.get(*name))
}

/// The scrapes, of these, of the target that a series comes from. A service that the drill scrapes itself is
/// the only one, and has no labels.
pub(crate) fn scrapes_of<'a>(up: &'a [Series], labels: &Labels) -> Option<&'a Series> {
    let same = |up: &&Series| of_same_target(&up.labels, labels);
    up.iter().find(same).or_else(|| up.first().filter(|only| only.labels.is_empty()))
}

/// Whether a scrape, as `up` has it, succeeded.
pub(crate) fn succeeded(scrape: &Sample) -> bool {
    scrape.1 == 1.0
}

/// ` at job="x", instance="y"`, where the labels say.
pub(crate) fn named(labels: &Labels) -> String {
    let known = TARGET.iter().filter_map(|name| labels.get(*name).map(|value| format!("{name}={value:?}")));
    let known = known.collect::<Vec<_>>().join(", ");
    if known.is_empty() { known } else { format!(" at {known}") }
}
