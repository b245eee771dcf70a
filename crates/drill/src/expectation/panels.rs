//! Every query of every panel has data.

use super::kind::Kind;
use crate::evidence::Panel;
use crate::file::check::context::FileContext;
use crate::file::check::names::check_names;
use crate::file::place::Place;
use crate::file::value::OneOrMore;
use crate::judge::case::{Case, SETTLED, received};
use crate::judge::cause;
use crate::judge::verdict::Finding;
use crate::question::{Dashboards, Explain, Questions};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every query of every panel of these dashboards has data over the drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panels {
    /// Dashboards: files by pattern such as `deploy/grafana/dashboards/*.json`, from where the drill runs; or `grafana`: all that `--grafana` has.
    pub panels: OneOrMore,
    /// Titles of panels that may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// Values of the dashboards' variables; those of the drill's job and workload are known.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, String>,
}

impl Kind for Panels {
    fn check(&self, _context: &FileContext<'_>, place: &mut Place<'_>) {
        let Self { panels, except, .. } = self;
        if panels.0.is_empty() {
            place.at("panels").refuse(
                "`panels` is empty: name dashboard files such as dashboards/*.json, or use `grafana`",
            );
        }
        check_names(&panels.0, &mut place.at("panels"));
        check_names(except, &mut place.at("except"));
    }

    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        let known = [("job", case.job), ("workload", case.workload)];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let given = self.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
        questions.panels.push(Dashboards {
            expectation: case.expectation,
            from: self.panels.0.clone(),
            except: self.except.clone(),
            variables: known.chain(given).collect(),
        });
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        vec![self.finding(case).unwrap_or_else(|finding| finding).about("panels")]
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        let (from, to) = (case.began, case.ended);
        let empty = asked(case).filter(|panel| panel.series == Ok(0));
        empty
            .take(EXPLAINED)
            .map(|panel| Explain { expression: panel.expression.clone(), labels: [].into(), from, to })
            .collect()
    }

    fn depends_on_schedule(&self) -> bool {
        false
    }
}

impl Panels {
    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let of_grafana = self.panels.0.iter().any(|from| from == "grafana");
        let (who, flag) = if of_grafana { ("Grafana", "--grafana") } else { ("Prometheus", "--prometheus") };
        case.known_at(case.ended + case.scrape_interval() + SETTLED, "the last scrape")?;
        received(&case.evidence.panels, who, flag)?;
        let all: Vec<_> = asked(case).collect();
        if all.is_empty() {
            return Err(Finding::inconclusive(format!(
                "no panel with a query in {}",
                self.panels.0.join(", ")
            )));
        }
        let empty: Vec<_> = all.iter().filter_map(|panel| trouble(case, panel)).collect();
        match empty.first() {
            Some(first) => {
                Ok(Finding::fail(format!("{} of {} queries have no data: {first}", empty.len(), all.len()))
                    .with(empty.iter().skip(1).cloned()))
            }
            None => Ok(Finding::pass(format!("{} queries, each with data", all.len()))),
        }
    }
}

/// How many empty panels are taken apart: a dashboard of a metric that is gone has many.
const EXPLAINED: usize = 5;

fn asked<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Panel> + use<'a> {
    let expectation = case.expectation;
    let panels = case.evidence.panels.received().map_or(&[][..], Vec::as_slice);
    panels.iter().filter(move |panel| panel.expectation == expectation)
}

/// What is wrong with a panel's query, where anything is.
fn trouble(case: &Case<'_>, panel: &Panel) -> Option<String> {
    let Panel { dashboard, panel: title, query, expression, .. } = panel;
    let place = format!("{dashboard} / {title} ({query})");
    match &panel.series {
        Ok(0) => Some(match cause::of(case, expression).first() {
            Some(cause) => format!("{place}: {}", cause.says()),
            None => format!("{place}: {expression}"),
        }),
        Ok(_) => None,
        Err(refused) => Some(format!("{place}: refused, {refused}")),
    }
}
