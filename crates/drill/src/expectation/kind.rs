//! What is common to all expectations.

use std::any::Any;

use crate::evidence::Labels;
use crate::file::check::context::FileContext;
use crate::file::place::Place;
use crate::judge::case::{Case, ExpectedAlert};
use crate::judge::verdict::Finding;
use crate::question::{Explain, Questions};

/// Everything that makes a kind of expectation what it is.
///
/// A [`Case`] is the run that it is judged in; questions may be asked of a case that has no evidence yet.
pub(crate) trait Kind {
    /// Reports what contradicts itself, or could never hold or never fail.
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>);

    /// Why this cannot be expected beside another expectation of the file, mostly one of the same kind.
    fn conflict(&self, _other: &dyn Any) -> Option<&'static str> {
        None
    }

    /// Adds what has to be asked of monitoring. Alerts, rules and `up` are asked for in any case.
    fn ask(&self, _case: &Case<'_>, _questions: &mut Questions) {}

    /// What the evidence comes to. One expectation may have several findings: that an alert fires, that it resolves.
    fn judge(&self, case: &Case<'_>) -> Vec<Finding>;

    /// Whether findings rest on when requests left: on rates, or on the boundaries of phases.
    fn depends_on_schedule(&self) -> bool {
        true
    }

    /// The expressions to take apart where a finding is no pass.
    fn explain(&self, _case: &Case<'_>) -> Vec<Explain> {
        Vec::new()
    }

    /// What should still become quiet before the first request, such as an alert that is to be caused.
    fn unquiet(&self, _case: &Case<'_>) -> Option<String> {
        None
    }

    /// The alert that is expected to fire.
    fn expected_alert(&self) -> Option<ExpectedAlert> {
        None
    }

    /// Whether it says anything of an alert with these labels.
    fn is_about_alert(&self, _labels: &Labels) -> bool {
        false
    }

    /// The selector of the counters of requests and their label for the status, for charts.
    fn request_counters(&self, _case: &Case<'_>) -> Option<(String, String)> {
        None
    }
}
