//! A drill of six hours, of a service with thousands of series, as it is in the blocks of a Prometheus.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::Command;
use std::time::Duration;

use firedrill_contract::Time;
use firedrill_drill::evidence::Sources;
use firedrill_drill::judge::{Verdict, judge, questions};
use firedrill_drill::run::Run;
use firedrill_load::outcome::Outcome;
use http::StatusCode;

use super::{client, collector, now};
use crate::support::directory::Directory;
use crate::support::prometheus::server::Server;

const ROUTES: usize = 2_400;

/// How often Prometheus has scraped and evaluated.
const INTERVAL: Duration = Duration::from_secs(30);

/// The times of requests, of which each goes to the next route.
const APART: Duration = Duration::from_secs(5);

const HOURS: Duration = Duration::from_secs(2 * 3_600);

const DRILL: &str = r#"{
    "name": "hours", "job": "app", "workload": "drill",
    "phases": {
        "calm": { "for": "2h", "rate": "12/m", "request": { "path": "/" } },
        "burning": { "for": "2h", "rate": "12/m", "request": { "path": "/" } },
        "recovery": { "for": "2h", "rate": "12/m", "request": { "path": "/" } }
    },
    "expect": [
        { "scrapes": "no gaps" },
        { "counts": "all phases", "series": "requests_total{workload=\"$workload\"}" },
        { "query": "count(requests_total{workload=\"$workload\"})", "equals": 2400 },
        { "alert": "Slow", "fires": { "during": "burning", "within": "1m" }, "resolves": { "within": "2m" } },
        { "nothing_else": "fires" }
    ]
}"#;

const RULES: &str = "groups: [{ name: g, interval: 30s, rules: [{ alert: Slow, expr: vector(0) > 1 }] }]\n";

/// The drill that was over a minute ago, without evidence.
fn run() -> Run {
    let began = now() - HOURS * 3 - INTERVAL * 2;
    let requests = u32::try_from(HOURS.as_secs() / APART.as_secs()).unwrap();
    ["calm", "burning", "recovery"].into_iter().fold(Run::made_up(DRILL, began), |run, name| {
        run.then(name, HOURS, requests, |_| (Outcome::Answered(StatusCode::OK), Duration::from_millis(20)))
    })
}

/// What was scraped and evaluated meanwhile, in the text format; how many samples of requests are in it.
fn write(run: &Run, text: impl std::io::Write) -> usize {
    let mut text = BufWriter::new(text);
    let times: Vec<Time> = (0..)
        .map(|nth| run.began - INTERVAL * 20 + INTERVAL * nth)
        .take_while(|at| *at < run.ended + INTERVAL * 2)
        .collect();
    writeln!(text, "# TYPE up gauge").unwrap();
    for at in &times {
        writeln!(text, "up{{job=\"app\",instance=\"a:1\"}} 1 {:.3}", at.seconds()).unwrap();
    }
    writeln!(text, "# TYPE ALERTS gauge").unwrap();
    let burning = &run.phases[1];
    for at in times.iter().filter(|at| **at >= burning.began && **at < burning.ended) {
        writeln!(
            text,
            "ALERTS{{alertname=\"Slow\",alertstate=\"firing\",job=\"app\"}} 1 {:.3}",
            at.seconds()
        )
        .unwrap();
    }
    writeln!(text, "# TYPE requests counter").unwrap();
    for route in 0..ROUTES {
        for at in &times {
            // So many requests have gone by, of which each goes to the next route.
            let sent = at
                .since(run.began)
                .map_or(0, |since| since.min(HOURS * 3).as_millis().div_ceil(APART.as_millis()));
            let sent = usize::try_from(sent).unwrap();
            let counted = sent / ROUTES + usize::from(sent % ROUTES > route);
            #[expect(clippy::cast_precision_loss, reason = "a few requests")]
            let value = 1_000_000.123_456_7 + counted as f64;
            let labels = format!("job=\"app\",instance=\"a:1\",workload=\"drill\",route=\"/{route}\"");
            writeln!(text, "requests_total{{{labels}}} {value} {:.3}", at.seconds()).unwrap();
        }
    }
    writeln!(text, "# EOF").unwrap();
    text.flush().unwrap();
    ROUTES * times.len()
}

#[tokio::test]
#[ignore = "needs prometheus and promtool on PATH; cargo test -- --ignored"]
async fn six_hours_of_thousands_of_series_are_judged() {
    let mut run = run();
    let (directory, data) = (Directory::new("hours"), Directory::new("prometheus-data"));
    let text = directory.path().join("metrics");
    let samples = write(&run, File::create(&text).unwrap());
    // As [1763844060.123,"1000000.1234567"] each of them, they would not fit one answer.
    assert!(samples * 38 > 64 << 20, "{samples}");
    let mut promtool = Command::new("promtool");
    promtool.args(["tsdb", "create-blocks-from", "openmetrics"]).arg(&text).arg(data.path());
    let created = promtool.output().unwrap();
    assert!(created.status.success(), "{created:?}");
    directory.write("rules.yml", RULES);
    directory.write("prometheus.yml", "rule_files: [rules.yml]\n");
    let prometheus = Server::start_on(data, directory.path(), &[]).await;

    let sources = Sources { prometheus: Some(client(&prometheus.api.url)), ..Sources::default() };
    let questions = questions(&run);
    let collector = collector(&sources, &questions).await;
    let before = std::time::Instant::now();
    run.evidence = collector.collect(&questions, run.began).await;
    println!("{samples} samples were collected in {:?}", before.elapsed());
    let before = std::time::Instant::now();
    let findings = judge(&run);
    println!("and judged in {:?}", before.elapsed());
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass), "{findings:#?}");
}
