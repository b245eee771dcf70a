//! What contradicts itself in a drill file, or could never hold or fail: found without asking anybody.
//!
//! What is sent is `plan`'s to check; this is about what is expected of it.

mod alert;
mod number;
mod series;
mod vocabulary;

use std::time::Duration;

use super::{DrillFile, Phase, Problem, Step, environment};
use crate::expectation::Expectation;
use crate::expectation::nothing_else::NothingElse;
use crate::expectation::panels::Panels;
use crate::expectation::scrapes::Scrapes;
use crate::promql::{Variables, is_name};
use firedrill_contract::nearest;
use firedrill_net::Target;

/// Every problem of a file that was read, in the order of its keys.
#[must_use]
pub fn problems(file: &DrillFile) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut here = Here { place: Vec::new(), found: &mut found };
    whole(file, &mut here);
    let drill = Drill { file, ours: file.is_of_our_service() };
    for (n, premise) in file.given.iter().enumerate() {
        let mut here = here.at("given");
        drill.premise(premise, &mut here.at(n));
    }
    for (n, expectation) in file.expect.iter().enumerate() {
        let mut here = here.at("expect");
        let mut here = here.at(n);
        drill.check(expectation, &mut here);
        repeated(&file.expect[..n], expectation, &mut here);
    }
    found
}

/// A place in a file, and what was found to be wrong there and elsewhere.
struct Here<'a> {
    place: Vec<Step>,
    found: &'a mut Vec<Problem>,
}

impl Here<'_> {
    fn at(&mut self, step: impl Into<Step>) -> Here<'_> {
        Here { place: [self.place.as_slice(), &[step.into()]].concat(), found: self.found }
    }

    fn say(&mut self, message: impl Into<String>) {
        self.found.push(Problem { place: self.place.clone(), message: message.into() });
    }
}

/// A drill, for the checks of what it expects.
struct Drill<'a> {
    file: &'a DrillFile,
    /// Whether it drills this project's own service, whose metrics are known.
    ours: bool,
}

impl<'a> Drill<'a> {
    fn check(&self, expectation: &Expectation, here: &mut Here<'_>) {
        match expectation {
            Expectation::Counts(counts) => self.counts(counts, here),
            Expectation::Increase(increase) => self.increase(increase, here),
            Expectation::Query(query) => self.query(query, here),
            Expectation::Quantile(quantile) => self.quantile(quantile, here),
            Expectation::Alert(alert) => self.alert(alert, here),
            Expectation::NothingElse(NothingElse { labels, except, .. }) => {
                labels.keys().for_each(|name| self::label(name, &mut here.at("labels").at(name.as_str())));
                each(except, &mut here.at("except"));
            }
            Expectation::Series(series) => self.series(series, here),
            Expectation::Scrapes(Scrapes { job, .. }) => {
                job.iter().for_each(|job| in_quotes(job, &mut here.at("job")));
            }
            Expectation::Panels(panels) => self::panels(panels, here),
        }
    }

    /// The phase of this name; tells where there is none.
    fn phase(&self, name: &str, here: &mut Here<'_>) -> Option<&'a Phase> {
        let phase = self.file.phases.get(name);
        if phase.is_none() {
            let names = || self.file.phases.keys().map(String::as_str);
            let instead = nearest(name, names()).map_or_else(
                || format!("expected one of {}", list(names())),
                |near| format!("did you mean {near:?}?"),
            );
            here.say(format!("there is no phase {name:?}: {instead}"));
        }
        phase
    }

    /// The phases that something is about.
    fn phases(&self, during: Option<&str>) -> Vec<&'a Phase> {
        match during {
            Some(name) => self.file.phases.get(name).into_iter().collect(),
            None => self.file.phases.values().collect(),
        }
    }

    /// Whether nothing is sent in all of that time.
    fn is_pause(&self, during: Option<&str>) -> bool {
        let phases = self.phases(during);
        !phases.is_empty() && phases.iter().all(|phase| phase.rate.is_none())
    }

    fn variables(&self, during: Option<&str>) -> Variables<'a> {
        let spans = self.phases(during).into_iter().map(|phase| phase.span.0);
        let phase = spans.fold(Duration::ZERO, Duration::saturating_add);
        // Nothing lasts 0s in PromQL; a phase that does is refused for itself.
        let phase = phase.max(Duration::from_secs(1));
        Variables { phase, workload: self.file.workload.as_deref(), job: self.file.job.as_deref() }
    }
}

/// What is beside the phases and the expectations.
fn whole(file: &DrillFile, here: &mut Here<'_>) {
    if file.name.trim().is_empty() {
        here.at("name").say("found no name, expected what the drill is called in reports");
    }
    if let Some(target) = &file.target {
        self::target(target, &mut here.at("target"));
    }
    for (key, value) in [("workload", &file.workload), ("job", &file.job)] {
        value.iter().for_each(|value| in_quotes(value, &mut here.at(key)));
    }
    if file.expect.is_empty() {
        here.at("expect").say("found nothing that is expected, so that nothing could be told: expected at least one expectation");
    }
}

fn target(target: &str, here: &mut Here<'_>) {
    match environment::unset(target) {
        Err(malformed) => here.say(malformed.to_string()),
        // The text is not shown: it could hold a password.
        Ok(Some(url)) => Target::parse(&url).err().iter().for_each(|error| here.say(error.to_string())),
        // What the environment will hold is not known yet.
        Ok(None) => {}
    }
}

/// A value that is put between the quotes of a matcher.
fn in_quotes(value: &str, here: &mut Here<'_>) {
    if value.is_empty() || value.contains(|c: char| c.is_control() || matches!(c, '"' | '\'' | '`' | '\\')) {
        here.say(format!(
            "found {value:?}, expected a text without quotes, backslashes and control characters"
        ));
    }
}

fn panels(Panels { panels, except, .. }: &Panels, here: &mut Here<'_>) {
    if panels.0.is_empty() {
        here.at("panels").say("found no dashboards, expected files such as dashboards/*.json, or grafana");
    }
    each(&panels.0, &mut here.at("panels"));
    each(except, &mut here.at("except"));
}

fn label(name: &str, here: &mut Here<'_>) {
    if !is_name(name) {
        here.say(format!("found {name:?}, expected the name of a label: letters, digits and _"));
    }
}

/// That none of these is empty or there twice.
fn each(texts: &[String], here: &mut Here<'_>) {
    for (n, text) in texts.iter().enumerate() {
        if text.trim().is_empty() {
            here.at(n).say("found an empty text, expected a name");
        } else if texts[..n].contains(text) {
            here.at(n).say(format!("{text:?} is here twice"));
        }
    }
}

/// That this is not expected, or excluded, before.
fn repeated(before: &[Expectation], expectation: &Expectation, here: &mut Here<'_>) {
    for (n, other) in before.iter().enumerate() {
        match (other, expectation) {
            _ if other == expectation => here.say(format!("this is expected already, as number {}", n + 1)),
            (Expectation::NothingElse(other), Expectation::NothingElse(nothing))
                if other.labels == nothing.labels =>
            {
                here.say(format!("that nothing else fires is expected already, as number {}: expected one with all exceptions", n + 1));
            }
            (Expectation::Alert(other), Expectation::Alert(alert)) if alert::contradict(other, alert) => {
                here.say(format!("the alerts that should fire and those that never should are the same, here and in number {}", n + 1));
            }
            _ => {}
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::locate;
    use super::*;

    /// A drill of this project's service, with these expectations.
    fn ours(expect: &str) -> String {
        format!(
            "name: x\nworkload: drill\njob: firedrill\nphases:\n  calm: {{ for: 30s, rate: 20/s, work: {{}} }}\n  burning: {{ for: 90s, rate: 20/s, work: {{}} }}\n  pause: {{ for: 10s }}\nexpect:\n{expect}\n"
        )
    }

    /// A drill of another service, with these expectations.
    fn theirs(expect: &str) -> String {
        format!(
            "name: x\nphases:\n  calm: {{ for: 30s, rate: 20/s, request: {{ path: / }} }}\nexpect:\n{expect}\n"
        )
    }

    /// Its problems, each as the text from where it is to the end of the line, and the message.
    fn found(yaml: &str) -> Vec<String> {
        let file = DrillFile::read(yaml).unwrap();
        let problem = |problem: super::super::Misread| {
            let line = yaml.lines().nth(usize::try_from(problem.line).unwrap() - 1).unwrap();
            let place: String = line.chars().skip(usize::try_from(problem.column).unwrap() - 1).collect();
            format!("{place} | {}", problem.message)
        };
        locate(yaml, problems(&file)).into_iter().map(problem).collect()
    }

    /// That the one problem of this drill is at a value that begins so, and that its message begins so.
    fn one(yaml: &str, place: &str, message: &str) {
        let found = found(yaml);
        let as_expected = found.len() == 1
            && found[0]
                .split_once(" | ")
                .is_some_and(|(at, says)| at.starts_with(place) && says.starts_with(message));
        assert!(as_expected, "{yaml}\nexpected {place} | {message}\nfound {found:#?}");
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
        assert_eq!(found(&right), Vec::<String>::new());
        let right = theirs(
            r#"
  - { counts: all phases, series: 'requests_total{app="shop"}', status: code }
  - { quantile: 0.9, within: 5%, series: latency_seconds }
  - { query: 'sum(anything{whatever="x"})', at_least: 1 }
  - { scrapes: no gaps, job: shop }"#,
        );
        assert_eq!(found(&right), Vec::<String>::new());
    }

    #[test]
    fn what_is_beside_the_expectations_is_checked() {
        let with = |key: &str| theirs("  - { panels: grafana }").replacen("name: x\n", key, 1);
        one(&with("name: ' '\n"), "' '", "found no name");
        one(&with("name: x\ntarget: app\n"), "app", "expected a URL such as http://app:8080");
        one(&with("name: x\ntarget: $APP\n"), "$APP", "found a dollar sign that begins no reference");
        one(&with("name: x\ntarget: http://me:hunter2@app\n"), "http", "a URL with a user or a password");
        one(&with("name: x\nworkload: 'a\"b'\n"), "'a", "found \"a\\\"b\", expected a text without quotes");
        one(&with("name: x\njob: ''\n"), "''", "found \"\", expected a text without quotes");
        one(&with("name: x\ntarget: ${APP:-app}\n"), "${APP", "expected a URL such as http://app:8080");
        assert!(found(&with("name: x\ntarget: http://${APP:-app}:${PORT}\n")).is_empty());
        let nothing = theirs("").replace("expect:\n\n", "expect: []\n");
        one(&nothing, "[]", "found nothing that is expected");
    }

    #[test]
    fn what_is_given_is_of_the_ledger_and_could_be_otherwise() {
        let with = |premise: &str| {
            ours("  - { nothing_else: fires }").replacen(
                "expect:",
                &format!("given:\n  - {premise}\nexpect:"),
                1,
            )
        };
        assert!(found(&with("{ truth: slow_ratio(500ms), at_most: 0.05, during: calm }")).is_empty());
        one(&with("{ truth: 3, at_most: 5 }"), "3", "found 3, expected what the ledger knows");
        one(
            &with("{ truth: error_ratio, at_most: 5 }"),
            "5",
            "found 5, expected a share from 0 to less than 1",
        );
        one(&with("{ truth: p99, at_most: -1 }"), "-1", "found -1, expected a number from 0 on");
        one(&with("{ truth: p99, at_most: 1, during: clam }"), "clam", "there is no phase \"clam\"");
        one(
            &with("{ truth: mean, at_most: 1, during: pause }"),
            "mean",
            "found mean of a time in which nothing is sent",
        );
    }

    #[test]
    fn a_phase_that_does_not_exist_is_told_with_the_nearest() {
        one(
            &ours("  - { quantile: 0.9, within: 5%, during: burnign }"),
            "burnign",
            "there is no phase \"burnign\": did you mean \"burning\"?",
        );
        one(
            &ours("  - { query: up, at_least: 1, during: xx }"),
            "xx",
            "there is no phase \"xx\": expected one of calm, burning, pause",
        );
        one(
            &ours("  - { alert: A, fires: { during: Calm, within: 1s } }"),
            "Calm",
            "there is no phase \"Calm\": did you mean \"calm\"?",
        );
    }

    #[test]
    fn a_query_is_expected_to_be_one_thing() {
        for (rest, place, message) in [
            ("", "{ query", "found nothing that the query should be"),
            (", within: 5%", "{ query", "found nothing that the query should be"),
            (", equals: 1", "{ query", "the key \"within\" is missing"),
            (", equals: 1, within: 0, at_most: 2", "2", "found at_most beside equals, expected one of them"),
            (", at_least: 1, at_most: 2", "2", "found at_most beside at_least, expected between"),
            (
                ", at_least: 1, between: [1, 2]",
                "query",
                "found between beside at_least, expected one of them",
            ),
            (", between: [2, 1]", "{ query", "found 2 before 1, expected the smaller one first"),
            (", between: [p99, p50]", "{ query", "found p99 before p50, expected the smaller one first"),
            (", equals: 1, within: 100%", "100%", "found 100%, within which nothing at all"),
            (", equals: 0, within: 5%", "5%", "found 5% of 0, which is 0"),
            (", equals: error_ratio, within: 5", "5", "found 5, within which any two shares"),
            (", equals: slow_ratio(1s), within: 1s", "1s", "found 1, within which any two shares"),
            (
                ", equals: error_ratio, within: 5%, during: pause",
                "error_ratio",
                "found error_ratio of a time in which nothing is sent",
            ),
            (", at_most: p99, during: pause", "p99", "found p99 of a time in which nothing is sent"),
        ] {
            // A list begins where the parser says, which is at its first bracket.
            let place =
                if message.contains("between beside") || message.contains("before") { "[" } else { place };
            one(&ours(&format!("  - {{ query: up{rest} }}")), place, message);
        }
    }

    #[test]
    fn a_query_is_promql_with_one_number() {
        for (query, message) in [
            ("sum(up", "found no PromQL: "),
            ("up{job=\"$jobs\"}", "found $jobs, which is no variable of a drill: did you mean $job?"),
            ("up{job=\"${job}\"}", "found ${job}, which is no variable of a drill: did you mean $job?"),
            (
                "rate(up[$__rate_interval])",
                "found $__rate_interval, which is no variable of a drill: expected $phase, $workload or $job",
            ),
            ("up[5m]", "found a range of samples, expected one number"),
            ("vector(1)", "found an expression that reads no series"),
            ("1", "found an expression that reads no series"),
            ("time()", "found an expression that reads no series"),
        ] {
            one(&ours(&format!("  - {{ query: '{query}', at_least: 1 }}")), "'", message);
        }
        for name in ["workload", "job"] {
            let message = format!("found ${name}, which the drill does not set: expected the key \"{name}\"");
            one(&theirs(&format!("  - {{ query: 'x{{a=\"${name}\"}}', at_least: 1 }}")), "'x", &message);
        }
        // In Prometheus a text is an expression too.
        assert!(found(&ours("  - { query: '\"up\"', at_least: 1 }"))[0].contains("found a text, expected"));
    }

    #[test]
    fn names_of_this_service_are_checked_and_those_of_others_are_free() {
        for (query, message) in [
            (
                "sum(http_server_request_duration_second_count)",
                "the service has no metric http_server_request_duration_second_count: did you mean http_server_request_duration_seconds_count? What another",
            ),
            ("sum(qqq)", "the service has no metric qqq: What another job has"),
            (
                "sum(firedrill_connections_count)",
                "the service has no metric firedrill_connections_count: did you mean ",
            ),
            ("sum({__name__=\"upp\"})", "the service has no metric upp: did you mean up?"),
            ("up{workload=\"x\"}", "there is no label \"workload\" in up: expected one of instance, job"),
            (
                "sum(firedrill_injected_requests_total{worklaod=\"x\"})",
                "there is no label \"worklaod\" in firedrill_injected_requests_total: did you mean \"workload\"?",
            ),
            (
                "sum(firedrill_injected_requests_total{workload=\"x\" or worklaod=\"x\"})",
                "there is no label \"worklaod\" in",
            ),
            (
                "sum by (worklaod) (rate(firedrill_injected_requests_total[$phase]))",
                "there is no label \"worklaod\" in what it is grouped by: did you mean \"workload\"?",
            ),
            ("sum without (le) (firedrill_work_limit)", "there is no label \"le\" in what it is grouped by"),
            ("sum by (job) (sum(up))", "there is no label \"job\" in what it is grouped by: expected none"),
            ("up * on (joob) up", "there is no label \"joob\" in either side: did you mean \"job\"?"),
            (
                "up * on (job) group_left (verison) firedrill_build_info",
                "there is no label \"verison\" in either side: did you mean \"version\"?",
            ),
            ("max_over_time(upp[1m:5s])", "the service has no metric upp"),
            ("topk(scalar(upp), -(up))", "the service has no metric upp"),
            (
                "sum(firedrill_work{job=\"firedrill\"})",
                "the service has no metric firedrill_work: did you mean firedrill_work_limit?",
            ),
        ] {
            one(&ours(&format!("  - {{ query: '{query}', at_least: 1 }}")), "'", message);
        }
        for free in [
            "sum(qqq{job=\"other\",anything=\"x\"})",
            "sum by (a) (qqq{job=~\"other|firedrill\"})",
            "sum by (a) (label_join(up, \"a\", \"-\", \"job\", \"instance\"))",
            "sum by (b) (count_values(\"b\", up))",
            "sum by (anything) (a:b:c)",
            "sum by (team) (ALERTS)",
        ] {
            assert_eq!(
                found(&ours(&format!("  - {{ query: '{free}', at_least: 1 }}"))),
                Vec::<String>::new(),
                "{free}"
            );
        }
    }

    #[test]
    fn counts_and_quantiles_are_of_series_that_can_have_them() {
        for (expectation, place, message) in [
            ("counts: all phases, series: 'up offset 1m'", "'up", "found another expression than a selector"),
            ("counts: all phases, series: sum(up)", "sum", "found another expression than a selector"),
            (
                "counts: all phases, series: http_server_request_duration_seconds",
                "http",
                "found http_server_request_duration_seconds, which does not count requests: expected the histogram's _count",
            ),
            (
                "counts: all phases, series: http_server_request_duration_seconds_bucket",
                "http",
                "found http_server_request_duration_seconds_bucket, which does not count",
            ),
            ("counts: all phases, series: up, status: job", "up", "found up, which is a gauge"),
            (
                "counts: all phases, series: firedrill_injected_requests_total",
                "firedrill",
                "firedrill_injected_requests_total has no label \"http_response_status_code\"",
            ),
            (
                "counts: all phases, series: firedrill_injected_requests_total, status: code",
                "code",
                "firedrill_injected_requests_total has no label \"code\"",
            ),
            ("counts: all phases, status: a-b", "a-b", "found \"a-b\", expected the name of a label"),
            ("quantile: 1, within: 5%", "1", "found 1, expected a quantile between 0 and 1"),
            ("quantile: 99, within: 5%", "99", "found 99, expected a quantile between 0 and 1"),
            ("quantile: .nan, within: 5%", ".nan", "found NaN, expected a quantile between 0 and 1"),
            ("quantile: 0.9, within: 100%", "100%", "found 100%, within which nothing at all"),
            (
                "quantile: 0.9, within: 5%, during: pause",
                "{ quantile",
                "found p90 of a time in which nothing is sent",
            ),
            ("quantile: 0.9, within: 5%, series: a_bucket", "a_bucket", "the service has no metric a_bucket"),
            (
                "quantile: 0.9, within: 5%, series: http_server_request_duration_seconds_bucket",
                "http",
                "found http_server_request_duration_seconds_bucket, expected the histogram without _bucket: http_server_request_duration_seconds",
            ),
            ("quantile: 0.9, within: 5%, series: up", "up", "found up, which is no histogram"),
            ("quantile: 0.9, within: 5%, series: '{job=\"firedrill\"}'", "'{", "found no name of a metric"),
            (
                "series: firedrill_work_in_flight, exist: at zero",
                "firedrill",
                "found firedrill_work_in_flight, which is a gauge: expected a counter",
            ),
            ("series: [], exist: at zero", "[]", "found no series"),
            ("series: [firedrill_shed_requests_total, rate(up)], exist: at zero", "rate", "found no PromQL"),
        ] {
            let found = found(&ours(&format!("  - {{ {expectation} }}")));
            // A name that does not exist is told beside what else is wrong with it.
            let there = found.iter().any(|found| {
                found
                    .split_once(" | ")
                    .is_some_and(|(at, says)| at.starts_with(place) && says.starts_with(message))
            });
            assert!(
                there && found.len() <= 2,
                "{expectation}\nexpected {place} | {message}\nfound {found:#?}"
            );
        }
        let workload = "found no workload of the drill and no series of its own";
        one(&theirs("  - counts: all phases"), "counts", workload);
        one(&theirs("  - { quantile: 0.9, within: 5% }"), "{ quantile", workload);
    }

    #[test]
    fn an_increase_is_of_counters_and_by_an_amount() {
        let of = |rest: &str| ours(&format!("  - {{ increase: {rest} }}"));
        let right = "'http_server_request_duration_seconds_bucket{le=\"+Inf\"}', equals: requests";
        assert_eq!(found(&of(right)), Vec::<String>::new());
        for (rest, place, message) in [
            ("sum(up), equals: 1", "sum", "found another expression than a selector"),
            ("up, equals: 1", "up", "found up, which is a gauge: expected a counter"),
            (
                "http_server_request_duration_seconds, equals: requests",
                "http",
                "found http_server_request_duration_seconds, a histogram: expected its _count",
            ),
            (
                "http_server_request_duration_seconds_bucket, equals: requests",
                "http",
                "found http_server_request_duration_seconds_bucket without le: each bucket has",
            ),
            (
                "firedrill_injected_errors_total, equals: error_ratio",
                "error_ratio",
                "found error_ratio, by which no counter rises: expected requests",
            ),
            (
                "http_server_request_duration_seconds_sum, equals: latency_sum",
                "{ increase",
                "the key \"within\" is missing: clients see more",
            ),
            ("firedrill_injected_errors_total, equals: 0, within: 5%", "5%", "found 5% of 0, which is 0"),
        ] {
            one(&of(rest), place, message);
        }
    }

    #[test]
    fn an_alert_is_expected_to_do_something_that_can_be_seen() {
        for (rest, place, message) in [
            ("", "{ alert", "found nothing that is expected of the alert"),
            (", labels: { a: b }, severity: page", "{ alert", "found nothing that is expected of the alert"),
            (", resolves: { within: 1s }", "{ within", "found resolves of an alert that is not said to fire"),
            (", notifies: pager", "pager", "found notifies of an alert that is not said to fire"),
            (
                ", never: fires, fires: { during: calm, within: 1s }",
                "{ during",
                "found fires of an alert that never fires",
            ),
            (", never: fires, notifies: pager", "pager", "found notifies of an alert that never fires"),
            (
                ", never: fires, resolves: { within: 1s }",
                "{ within",
                "found resolves of an alert that never fires",
            ),
            (
                ", never: fires, annotations: [summary]",
                "[summary",
                "found annotations of an alert that never fires",
            ),
            (", never: fires, labels: { alertname: A }", "A }", "found the label alertname"),
            (", never: fires, labels: { a-b: A }", "A }", "found \"a-b\", expected the name of a label"),
            (
                ", never: fires, labels: { severity: page }, severity: ticket",
                "page }",
                "found the severity \"page\" here and \"ticket\"",
            ),
            (", fires: { during: calm, within: 0 }", "0 }", "found 0s, in which nothing can be seen"),
            (", fires: { during: calm, within: 1s }, notifies: ' '", "' '", "found no receiver"),
            (", fires: { during: calm, within: 1s }, annotations: [a, a]", "a]", "\"a\" is here twice"),
        ] {
            one(&ours(&format!("  - {{ alert: A{rest} }}")), place, message);
        }
        one(&ours("  - { alert: '', never: fires }"), "''", "found no name");
    }

    #[test]
    fn what_is_expected_twice_or_excluded_elsewhere_is_told() {
        one(
            &ours("  - counts: all phases\n  - counts: all phases # again"),
            "counts: all phases # again",
            "this is expected already, as number 1",
        );
        let nothing_else = "  - nothing_else: fires\n  - { nothing_else: fires, except: [A] }";
        one(&ours(nothing_else), "{ nothing", "that nothing else fires is expected already, as number 1");
        let fires = "{ alert: A, labels: { a: b }, severity: page, fires: { during: calm, within: 1s } }";
        for never in ["{ alert: A, never: fires }", "{ alert: A, labels: { severity: page }, never: fires }"]
        {
            let message =
                "the alerts that should fire and those that never should are the same, here and in number 1";
            one(&ours(&format!("  - {fires}\n  - {never}")), never, message);
            one(&ours(&format!("  - {never}\n  - {fires}")), fires, message);
        }
        for never in ["{ alert: A, labels: { a: c }, never: fires }", "{ alert: B, never: fires }"] {
            assert!(found(&ours(&format!("  - {fires}\n  - {never}"))).is_empty(), "{never}");
        }
    }

    #[test]
    fn lists_of_names_have_some_and_each_once() {
        one(&ours("  - { scrapes: no gaps, job: '' }"), "'' }", "found \"\", expected a text without quotes");
        one(&ours("  - { panels: [] }"), "[]", "found no dashboards");
        one(&ours("  - { panels: [a, ''] }"), "'']", "found an empty text");
        one(&ours("  - { panels: grafana, except: [a, a] }"), "a] }", "\"a\" is here twice");
        one(
            &ours("  - { nothing_else: fires, labels: { a-b: c } }"),
            "c }",
            "found \"a-b\", expected the name of a label",
        );
        assert!(
            found(&ours(
                "  - { nothing_else: fires, labels: { a: b } }\n  - { nothing_else: fires, labels: { a: c } }"
            ))
            .is_empty()
        );
        one(&ours("  - { nothing_else: fires, except: [' '] }"), "' '", "found an empty text");
    }
}
