//! Every query of every panel has data.

use crate::evidence::Panel;
use crate::file::expectation::Panels;
use crate::question::{Dashboards, Explain, Questions};

use super::case::{Case, SETTLED, said};
use super::cause;
use super::verdict::Finding;

pub(super) fn ask(case: &Case<'_>, expectation: usize, panels: &Panels, questions: &mut Questions) {
    let drill = &case.run.drill;
    let known = [("job", &drill.job), ("workload", &drill.workload)];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| (name.to_owned(), value.clone())));
    let given = panels.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
    questions.panels.push(Dashboards {
        expectation,
        from: panels.panels.0.clone(),
        except: panels.except.clone(),
        variables: known.chain(given).collect(),
    });
}

pub(super) fn explain(case: &Case<'_>, expectation: usize) -> Vec<Explain> {
    let (from, to) = (case.run.began, case.run.ended);
    let empty = of(case, expectation).filter(|panel| panel.series == Ok(0));
    empty
        .take(EXPLAINED)
        .map(|panel| Explain { expression: panel.expression.clone(), labels: [].into(), from, to })
        .collect()
}

/// How many empty panels are taken apart: a dashboard of a metric that is gone has many.
const EXPLAINED: usize = 5;

fn of<'a>(case: &Case<'a>, expectation: usize) -> impl Iterator<Item = &'a Panel> + use<'a> {
    let panels = case.run.evidence.panels.said().map_or(&[][..], Vec::as_slice);
    panels.iter().filter(move |panel| panel.expectation == expectation)
}

pub(super) fn judge(case: &Case<'_>, expectation: usize, panels: &Panels) -> Finding {
    found(case, expectation, panels).unwrap_or_else(|finding| finding).about("panels")
}

fn found(case: &Case<'_>, expectation: usize, panels: &Panels) -> Result<Finding, Finding> {
    let of_grafana = panels.panels.0.iter().any(|from| from == "grafana");
    let (who, flag) = if of_grafana { ("Grafana", "--grafana") } else { ("Prometheus", "--prometheus") };
    case.known_at(case.run.ended + case.scrape_interval() + SETTLED, "the last scrape")?;
    said(&case.run.evidence.panels, who, flag)?;
    let all: Vec<_> = of(case, expectation).collect();
    if all.is_empty() {
        return Err(Finding::inconclusive(format!(
            "no panel with a query in {}",
            panels.panels.0.join(", ")
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
