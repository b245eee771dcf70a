//! What can be said of a drill file without asking anybody: that it can be read, is planned, and expects what could
//! hold and could fail.

pub(crate) mod context;
pub(crate) mod names;
pub(crate) mod promql;
pub(crate) mod quantity;
mod vocabulary;

use std::ops::Range;

use super::deserialize::from_tree;
use super::place::Place;
use super::problem::Problem;
use super::{DrillFile, environment, yaml};
use crate::plan;
use context::FileContext;
use firedrill_net::Target;
use names::check_quotable;

/// A drill file in which all is right that can be checked offline.
#[derive(Debug)]
pub struct Checked {
    /// What it says.
    pub file: DrillFile,
    /// Where its target is, for what shows only when it is used.
    pub target: Range<usize>,
}

impl DrillFile {
    /// Reads a drill file: YAML 1.2, one document of at most [`LARGEST`](super::LARGEST) bytes.
    ///
    /// # Errors
    /// The first place at which it is no YAML or no drill file. What contradicts itself is read all the same, and
    /// found by [`check`](Self::check).
    pub fn read(text: &str) -> Result<Self, Problem> {
        from_tree(text, &yaml::parse(text)?)
    }

    /// Reads a drill file and checks all that can be checked offline: what it sends, what it expects, and its references
    /// to the environment, whatever that holds.
    ///
    /// # Errors
    /// The first place at which it cannot be read, or everything else that is wrong with it, in the order of the text.
    pub fn check(text: &str) -> Result<Checked, Vec<Problem>> {
        let root = yaml::parse(text).map_err(|problem| vec![problem])?;
        let file: Self = from_tree(text, &root).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let mut place = Place::root(text, &root, &mut problems);
        head(&file, &mut place);
        // No seed changes what is wrong.
        plan::plan(&file, 0, &mut place);
        expectations(&file, &mut place);
        let target = place.at("target").location();
        problems.sort_by_key(|problem| problem.location.start);
        if problems.is_empty() { Ok(Checked { file, target }) } else { Err(problems) }
    }
}

/// What is beside the phases and the expectations.
fn head(file: &DrillFile, place: &mut Place<'_>) {
    if file.name.trim().is_empty() {
        place.at("name").refuse("`name` is empty: say what the drill is called in reports");
    }
    if let Some(target) = &file.target {
        self::target(target, &mut place.at("target"));
    }
    // The plan refuses an empty workload.
    for (key, value) in
        [("workload", file.workload.as_ref().filter(|name| !name.is_empty())), ("job", file.job.as_ref())]
    {
        value.iter().for_each(|value| check_quotable(value, &mut place.at(key)));
    }
    if file.expect.is_empty() {
        place.at("expect").refuse("`expect` is empty: add at least one expectation");
    }
}

fn expectations(file: &DrillFile, place: &mut Place<'_>) {
    let context = FileContext {
        phases: &file.phases,
        workload: file.workload.as_deref(),
        job: file.job.as_deref(),
        ours: file.is_of_our_service(),
    };
    for (n, premise) in file.given.iter().enumerate() {
        context.check_premise(premise, &mut place.at("given").at(n));
    }
    for (n, expectation) in file.expect.iter().enumerate() {
        let mut place = place.at("expect");
        let mut place = place.at(n);
        expectation.kind().check(&context, &mut place);
        for (number, other) in (1..).zip(&file.expect[..n]) {
            if other == expectation {
                place.refuse(format!("the same as expectation {number}: remove one of the two"));
            } else if let Some(conflict) = expectation.kind().conflict(other.as_any()) {
                place.refuse(format!("conflicts with expectation {number}: {conflict}"));
            }
        }
    }
}

fn target(target: &str, place: &mut Place<'_>) {
    match environment::defaults(target) {
        Err(unresolved) => place.refuse(unresolved.to_string()),
        Ok(Some(url)) => {
            if let Err(error) = Target::parse_origin(&url) {
                place.refuse(error.to_string());
            }
        }
        // What the environment will hold is not known yet.
        Ok(None) => {}
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::testing::{ours, refused, shown, theirs};

    /// Drills of this project's service that each expect one of these.
    fn each_of_ours<const N: usize>(expectations: [&str; N]) -> String {
        refused(expectations.map(|expectation| ours(&format!("  - {{ {expectation} }}"))))
    }

    #[test]
    fn a_drill_that_is_right_has_no_problems() {
        let right = ours(
            r#"
  - counts: all phases
  - { counts: all phases, series: 'firedrill_injected_requests_total{workload="$workload"}', status: workload }
  - query: sum(rate(http_server_request_duration_seconds_count{job="$job",http_response_status_code=~"5.."}[$phase])) / sum(rate(http_server_request_duration_seconds_count{job="$job"}[$phase]))
    during: burning
    equals: error_ratio
    within: 5%
  - { query: 'sum by (le) (rate(http_server_request_duration_seconds_bucket[$phase]))', at_least: 1, within: 0.5 }
  - { query: 'max(slo:error_ratio:rate5m{slo="availability"}) * on (job) group_left (version) firedrill_build_info', between: [0.1, 0.2] }
  - { query: 'count(ALERTS{alertname="A",team="b"}) or vector(0)', at_most: 0 }
  - { query: 'sum(alertmanager_alerts{job="alertmanager",state="active"})', at_most: 3 }
  - { query: 'label_replace(up, "host", "$1", "instance", "(.*):.*") * on (host) up', equals: 1, within: 0 }
  - { query: 'sum(x:y) without (instance)', equals: requests, within: 1, during: pause }
  - { query: 'scrape_samples_scraped{instance="a"} offset 1m', equals: p99, within: 10ms }
  - { quantile: 0.99, within: 20% }
  - { quantile: 0.5, within: 1, series: 'other_seconds{job="other"}' }
  - { alert: A, severity: page, labels: { severity: page, slo: x }, fires: { during: pause, within: 1s }, resolves: { within: 1s }, notifies: pager }
  - { alert: A, labels: { slo: y }, never: fires }
  - { nothing_else: fires, except: [Watchdog] }
  - { series: [firedrill_shed_requests_total, 'http_server_request_duration_seconds_count{workload="drill"}'], exist: at zero }
  - scrapes: no gaps
  - { panels: [grafana], except: [Restarts] }"#,
        );
        assert_eq!(shown(&right), "");
        let right = theirs(
            r#"
  - { counts: all phases, series: 'requests_total{app="shop"}', status: code }
  - { quantile: 0.9, within: 5%, series: latency_seconds }
  - { query: 'sum(anything{whatever="x"})', at_least: 1 }
  - { scrapes: no gaps, job: shop }"#,
        );
        assert_eq!(shown(&right), "");
    }

    #[test]
    fn what_is_beside_the_expectations_is_checked() {
        let with = |head: &str| theirs("  - { panels: grafana }").replacen("name: x", head, 1);
        let heads = [
            "name: ' '",
            "name: x\ntarget: app",
            "name: x\ntarget: $APP",
            "name: x\ntarget: http://${DB_PASSWORD}",
            "name: x\ntarget: http://me:hunter2@app",
            "name: x\ntarget: ${APP:-app}",
            "name: x\ntarget: http://app/path",
            "name: x\nworkload: 'a\"b'",
            "name: x\njob: ''",
            "name: x\njob: a\\b",
        ];
        let nothing = theirs("").replace("expect:\n\n", "expect: []\n");
        assert_snapshot!(refused(heads.map(with).into_iter().chain([nothing])));
        assert_eq!(shown(&with("name: x\ntarget: http://${APP:-app}:${PORT}")), "");
    }

    #[test]
    fn what_is_given_is_of_the_ledger_and_could_be_otherwise() {
        let with = |premise: &str| {
            ours("  - { nothing_else: fires }").replacen(
                "expect:",
                &format!("given:\n  - {{ {premise} }}\nexpect:"),
                1,
            )
        };
        assert_eq!(shown(&with("truth: slow_ratio(500ms), at_most: 0.05, during: calm")), "");
        let wrong = [
            "truth: 3, at_most: 5",
            "truth: error_ratio, at_most: 5",
            "truth: p99, at_most: -1",
            "truth: p99, at_most: 1, during: clam",
            "truth: mean, at_most: 1, during: pause",
        ];
        assert_snapshot!(refused(wrong.map(with)));
    }

    #[test]
    fn a_phase_that_does_not_exist_suggests_the_nearest() {
        assert_snapshot!(each_of_ours([
            "quantile: 0.9, within: 5%, during: burnign",
            "query: up, at_least: 1, during: xx",
            "alert: A, fires: { during: Calm, within: 1s }",
        ]));
    }

    #[test]
    fn a_query_is_expected_to_be_one_thing() {
        assert_snapshot!(each_of_ours([
            "query: up",
            "query: up, within: 5%",
            "query: up, equals: 1",
            "query: up, equals: 1, within: 0, at_most: 2",
            "query: up, at_least: 1, at_most: 2",
            "query: up, at_least: 1, between: [1, 2]",
            "query: up, between: [2, 1]",
            "query: up, between: [p99, p50]",
            "query: up, equals: 1, within: 100%",
            "query: up, equals: 0, within: 5%",
            "query: up, equals: error_ratio, within: 5",
            "query: up, equals: slow_ratio(1s), within: 1s",
            "query: up, equals: error_ratio, within: 5%, during: pause",
            "query: up, at_most: p99, during: pause",
        ]));
    }

    /// Drills that each ask this query.
    fn each_query<const N: usize>(drill: fn(&str) -> String, queries: [&str; N]) -> String {
        refused(queries.map(|query| drill(&format!("  - {{ query: '{query}', at_least: 1 }}"))))
    }

    #[test]
    fn a_query_is_promql_with_one_number() {
        assert_snapshot!(each_query(
            ours,
            [
                "sum(up",
                r#"up{job="$jobs"}"#,
                r#"up{job="${job}"}"#,
                "rate(up[$__rate_interval])",
                "up[5m]",
                r#"up{instance="a" or instance="b"}"#,
                "vector(1)",
                "1",
                "time()",
            ]
        ));
        assert_snapshot!("variables", each_query(theirs, [r#"x{a="$workload"}"#, r#"x{a="$job"}"#]));
        // In Prometheus a string is an expression too.
        assert!(shown(&ours("  - { query: '\"up\"', at_least: 1 }")).contains("returns a string"));
    }

    #[test]
    fn names_of_this_service_are_checked_and_those_of_others_are_free() {
        assert_snapshot!(each_query(
            ours,
            [
                "sum(http_server_request_duration_second_count)",
                "sum(qqq)",
                "sum(firedrill_connections_count)",
                r#"sum({__name__="upp"})"#,
                r#"up{workload="x"}"#,
                r#"sum(firedrill_injected_requests_total{worklaod="x"})"#,
                "sum by (worklaod) (rate(firedrill_injected_requests_total[$phase]))",
                "sum without (le) (firedrill_work_limit)",
                "sum by (job) (sum(up))",
                "up * on (joob) up",
                "up * on (job) group_left (verison) firedrill_build_info",
                "max_over_time(upp[1m:5s])",
                "topk(scalar(upp), -(up))",
                r#"sum(firedrill_work{job="firedrill"})"#,
            ]
        ));
        for free in [
            r#"sum(qqq{job="other",anything="x"})"#,
            r#"sum by (a) (qqq{job=~"other|firedrill"})"#,
            r#"sum by (a) (label_join(up, "a", "-", "job", "instance"))"#,
            r#"sum by (b) (count_values("b", up))"#,
            "sum by (anything) (a:b:c)",
            "sum by (team) (ALERTS)",
        ] {
            assert_eq!(shown(&ours(&format!("  - {{ query: '{free}', at_least: 1 }}"))), "", "{free}");
        }
    }

    #[test]
    fn counts_and_quantiles_are_of_series_that_can_have_them() {
        // A name that does not exist is reported beside what else is wrong with it.
        let all = [
            "counts: all phases, series: 'up offset 1m'",
            "counts: all phases, series: sum(up)",
            "counts: all phases, series: http_server_request_duration_seconds",
            "counts: all phases, series: http_server_request_duration_seconds_bucket",
            "counts: all phases, series: up, status: job",
            "counts: all phases, series: firedrill_injected_requests_total",
            "counts: all phases, series: firedrill_injected_requests_total, status: code",
            "counts: all phases, status: a-b",
            "quantile: 1, within: 5%",
            "quantile: 99, within: 5%",
            "quantile: 0.9, within: 100%",
            "quantile: 0.9, within: 5%, during: pause",
            "quantile: 0.9, within: 5%, series: a_bucket",
            "quantile: 0.9, within: 5%, series: http_server_request_duration_seconds_bucket",
            "quantile: 0.9, within: 5%, series: up",
            r#"quantile: 0.9, within: 5%, series: '{job="firedrill"}'"#,
            "series: firedrill_work_in_flight, exist: at zero",
            "series: [], exist: at zero",
            "series: [firedrill_shed_requests_total, rate(up)], exist: at zero",
        ];
        assert_snapshot!(all.map(|expectation| shown(&ours(&format!("  - {{ {expectation} }}")))).join("\n"));
        assert_snapshot!(
            "neither_workload_nor_series",
            refused(["  - counts: all phases", "  - { quantile: 0.9, within: 5% }"].map(theirs))
        );
    }

    #[test]
    fn an_increase_is_of_counters_and_by_an_amount() {
        let right = r#"increase: 'http_server_request_duration_seconds_bucket{le="+Inf"}', equals: requests"#;
        assert_eq!(shown(&ours(&format!("  - {{ {right} }}"))), "");
        assert_snapshot!(each_of_ours([
            "increase: sum(up), equals: 1",
            "increase: up, equals: 1",
            "increase: http_server_request_duration_seconds, equals: requests",
            "increase: http_server_request_duration_seconds_bucket, equals: requests",
            "increase: firedrill_injected_errors_total, equals: error_ratio",
            "increase: http_server_request_duration_seconds_sum, equals: latency_sum",
            "increase: firedrill_injected_errors_total, equals: 0, within: 5%",
        ]));
    }

    #[test]
    fn an_alert_is_expected_to_do_something_that_can_be_seen() {
        assert_snapshot!(each_of_ours([
            "alert: A",
            "alert: A, labels: { a: b }, severity: page",
            "alert: A, resolves: { within: 1s }",
            "alert: A, notifies: pager",
            "alert: A, never: fires, fires: { during: calm, within: 1s }",
            "alert: A, never: fires, notifies: pager",
            "alert: A, never: fires, resolves: { within: 1s }",
            "alert: A, never: fires, annotations: [summary]",
            "alert: A, never: fires, labels: { alertname: A }",
            "alert: A, never: fires, labels: { a-b: A }",
            "alert: A, never: fires, labels: { severity: page }, severity: ticket",
            "alert: A, fires: { during: calm, within: 0 }",
            "alert: A, fires: { during: calm, within: 1s }, notifies: ' '",
            "alert: A, fires: { during: calm, within: 1s }, annotations: [a, a]",
            "alert: '', never: fires",
        ]));
    }

    #[test]
    fn what_is_expected_twice_or_excluded_elsewhere_is_refused() {
        let fires = "{ alert: A, labels: { a: b }, severity: page, fires: { during: calm, within: 1s } }";
        let both = |[one, other]: [&str; 2]| ours(&format!("  - {one}\n  - {other}"));
        let never = "{ alert: A, labels: { severity: page }, never: fires }";
        assert_snapshot!(refused(
            [
                ["counts: all phases", "counts: all phases # again"],
                ["nothing_else: fires", "{ nothing_else: fires, except: [A] }"],
                [fires, "{ alert: A, never: fires }"],
                [fires, never],
                [never, fires],
            ]
            .map(both)
        ));
        for never in ["{ alert: A, labels: { a: c }, never: fires }", "{ alert: B, never: fires }"] {
            assert_eq!(shown(&both([fires, never])), "", "{never}");
        }
        let different =
            ["{ nothing_else: fires, labels: { a: b } }", "{ nothing_else: fires, labels: { a: c } }"];
        assert_eq!(shown(&both(different)), "");
    }

    #[test]
    fn lists_of_names_have_some_and_each_once() {
        assert_snapshot!(each_of_ours([
            "scrapes: no gaps, job: ''",
            "panels: []",
            "panels: [a, '']",
            "panels: grafana, except: [a, a]",
            "nothing_else: fires, labels: { a-b: c }",
            "nothing_else: fires, except: [' ']",
        ]));
    }
}
