//! What is counted had its series before the first request: a counter that is born at 1 hides its first event.

use super::kind::Kind;
use crate::evidence::{Sample, Series};
use crate::file::check::context::FileContext;
use crate::file::check::names::check_names;
use crate::file::check::promql::must_count;
use crate::file::place::Place;
use crate::file::value::OneOrMore;
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::target::scrapes_of;
use crate::judge::verdict::Finding;
use crate::question::{Explain, Questions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is counted had its series, at zero, before the first request: a counter that is born at 1 hides its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesExist {
    /// The counters, as one selector or several.
    pub series: OneOrMore,
    /// How.
    pub exist: AtZero,
}

/// How series exist before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AtZero {
    /// At zero, or at what they had from before.
    #[serde(rename = "at zero")]
    AtZero,
}

impl Kind for SeriesExist {
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>) {
        let series = &self.series;
        let mut place = place.at("series");
        if series.0.is_empty() {
            place.refuse("`series` is empty: add at least one selector");
        }
        check_names(&series.0, &mut place);
        for (n, text) in series.0.iter().enumerate() {
            // One alone may stand without a list, and is then where the list would be.
            let mut place = place.at(n);
            if let Some(known) =
                context.read_selector(text, &mut place).and_then(|selector| context.known(&selector))
            {
                must_count(known, &mut place);
            }
        }
    }

    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        questions.selectors.extend(self.selectors(case));
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        let one = |selector: String| {
            let metric = selector.split('{').next().unwrap_or_default().to_owned();
            finding(case, &selector)
                .unwrap_or_else(|finding| finding)
                .with([selector])
                .about(format!("{metric} at zero"))
        };
        self.selectors(case).into_iter().map(one).collect()
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        let explain =
            |expression| Explain { expression, labels: [].into(), from: case.began, to: case.ended };
        self.selectors(case).into_iter().map(explain).collect()
    }

    fn depends_on_schedule(&self) -> bool {
        false
    }
}

impl SeriesExist {
    fn selectors(&self, case: &Case<'_>) -> Vec<String> {
        let Ok(whole) = case.phase(None) else { return Vec::new() };
        self.series.0.iter().map(|selector| case.variables(&whole).expand(selector)).collect()
    }
}

fn finding(case: &Case<'_>, selector: &str) -> Result<Finding, Finding> {
    case.known_at(case.ended + case.scrape_interval() + SETTLED, "the scrape after the last answer")?;
    let series = case.samples(selector)?;
    if series.is_empty() {
        return Ok(cause::blame("there is no such series", cause::of(case, selector)));
    }
    let up = case.scrapes(None)?;
    if !up.iter().any(|up| before(up, case)) {
        return Err(Finding::inconclusive(
            "nothing was scraped before the first request: start when the target has been scraped",
        ));
    }
    let born = |series: &&Series| {
        let target = scrapes_of(&up, &series.labels);
        !before(series, case) && target.is_none_or(|up| before(up, case))
    };
    let late: Vec<_> = series.iter().filter(born).map(shown).collect();
    match late.first() {
        Some(first) => {
            let says = format!(
                "{} of {} series were born while the drill ran, and hid what they counted first: {first}",
                late.len(),
                series.len()
            );
            Ok(Finding::fail(says).with(late.into_iter().skip(1)))
        }
        None => Ok(Finding::pass(format!("{} series, each there before the first request", series.len()))),
    }
}

fn before(series: &Series, case: &Case<'_>) -> bool {
    series.samples.iter().any(|Sample(at, _)| *at <= case.began)
}

fn shown(series: &Series) -> String {
    let labels = series
        .labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}}", labels.collect::<Vec<_>>().join(","))
}
