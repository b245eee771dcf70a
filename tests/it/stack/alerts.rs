//! Each fast alert, from its runbook's command to the pager and back, through the real Prometheus and Alertmanager.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::join;

use super::SOON;
use super::compose::{Project, alone};
use super::paging::{Page, Paging};
use crate::support::eventually::eventually;

/// How long an alert may take to resolve once its cause is over: it looks back two minutes at most.
const SETTLED: Duration = Duration::from_secs(180);
/// And where it counts what happened within five.
const SETTLED_LATE: Duration = Duration::from_secs(360);

/// On two stacks side by side, since while CrashLooping rings it holds back what rings of a single target.
#[tokio::test]
#[ignore = "needs docker with compose; cargo test -- --ignored"]
async fn each_fast_alert_reaches_the_pager_and_resolves() {
    let _machine = alone().await;
    let (one, other) = (Project::new("alerts").await, Project::new("crashes").await);
    one.compose(&["build", "app"]).await;
    let (of_one, of_other) = join!(requests_and_targets(one), crashes_and_a_broken_chain(other));
    let caused = BTreeSet::from_iter([of_one, of_other].concat());
    let rules = include_str!("../../../deploy/prometheus/rules/fast.yml");
    let fast = BTreeSet::from_iter(rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")));
    assert!(!fast.is_empty());
    fast.into_iter().for_each(|alert| assert!(caused.contains(alert), "no step causes {alert}: {caused:?}"));
}

async fn requests_and_targets(project: Project) -> Vec<String> {
    let stack = Paging::up(project, &[]).await;
    let instance = the_only_instance(&stack).await;
    let of_instance = |alert: &str| json!({ "alertname": alert, "severity": "ticket", "job": "firedrill", "instance": instance });
    let gaps = stack.ring(of_instance("ScrapeGaps")).await;

    stack.explain(&[budget("drill", "availability"), budget("web", "latency")]);
    stack.explain(&[of_workload("HighLatency", "other", "latency"), budget("other", "latency")]);
    let (errors, latency, memory, work) = join!(
        stack.ring(of_workload("HighErrorRatio", "drill", "availability")),
        stack.ring(of_workload("HighLatency", "web", "latency")),
        stack.ring(of_instance("MemoryNearLimit")),
        stack.ring(of_instance("WorkSaturated")),
    );

    stack.explain(&[of_workload("HighErrorRatio", "other", "availability"), budget("other", "availability")]);
    let shedding = json!({ "alertname": "Shedding", "severity": "ticket", "job": "firedrill", "workload": "other",
        "bound": "memory" });
    let (cpu, shed) = join!(stack.ring(of_instance("CpuSaturated")), stack.ring(shedding));
    stack.resolve(SETTLED, &[gaps, errors, latency, memory, work, cpu, shed]).await;

    one_of_three_replicas_is_killed(&stack).await;
    stack.nothing_else_rang().await
}

/// The other two take the traffic, and nobody else is told of anything.
async fn one_of_three_replicas_is_killed(stack: &Paging) {
    let since = Timestamp::now();
    stack.cause("TargetDown").await;
    let answer = eventually(SOON, async || stack.prometheus.up("firedrill", 2).await).await;
    let known = "group by (instance) (max_over_time(up{job=\"firedrill\"}[15m]))";
    let known = stack.prometheus.query(known).await.unwrap();
    let known = known.iter().map(|series| series["metric"]["instance"].as_str().unwrap());
    let gone: Vec<_> = known.filter(|instance| !answer.iter().any(|other| other == instance)).collect();
    assert_eq!(gone.len(), 1, "{gone:?} are gone, {answer:?} answer");
    let down =
        json!({ "alertname": "TargetDown", "severity": "page", "job": "firedrill", "instance": gone[0] });
    let page = stack.rings(&down, since).await;
    stack.end("TargetDown").await;
    stack.resolve(SETTLED, &[page]).await;
    let rang = stack.since(since).await;
    assert!(rang.len() == 1 && rang[0].is(&down), "one page was expected: {rang:#?}");
}

async fn crashes_and_a_broken_chain(project: Project) -> Vec<String> {
    let stack = Paging::up(project, &["load", "prometheus", "alertmanager", "pager"]).await;
    let instance = the_only_instance(&stack).await;
    // Where two starts miss a scrape each before it rings.
    let gaps =
        json!({ "alertname": "ScrapeGaps", "severity": "ticket", "job": "firedrill", "instance": instance });
    stack.explain(&[gaps]);
    let crashes = stack.ring(of_job("CrashLooping", "firedrill")).await;

    // While that still rings, because it looks back five minutes.
    let gone = stack.ring(of_job("AllTargetsDown", "firedrill")).await;
    stack.end("AllTargetsDown").await;
    stack.resolve(SETTLED, &[gone]).await;

    let [errors, unreachable] = a_page_waits_for_alertmanager(&stack).await;
    stack.resolve(SETTLED_LATE, &[errors, unreachable, crashes]).await;
    stack.nothing_else_rang().await
}

/// What begins while Alertmanager is away is told when it is back.
async fn a_page_waits_for_alertmanager(stack: &Paging) -> [Page; 2] {
    let unreachable = json!({ "alertname": "AlertmanagerUnreachable", "severity": "page", "job": "prometheus",
        "instance": "localhost:9090" });
    let heartbeat = json!({ "alertname": "HeartbeatMissing", "severity": "page", "job": "pager",
        "instance": "pager:8090" });
    stack.explain(&[of_job("AllTargetsDown", "alertmanager"), heartbeat, budget("drill", "availability")]);
    let since = Timestamp::now();
    stack.cause("AlertmanagerUnreachable").await;

    let comes_back = async {
        for alert in ["HighErrorRatio\",workload=\"drill", "AlertmanagerUnreachable"] {
            let fires = format!("ALERTS{{alertstate=\"firing\",alertname=\"{alert}\"}}");
            eventually(SOON, async || match stack.prometheus.query(&fires).await?.len() {
                1 => Ok(()),
                _ => Err(format!("{fires} does not")),
            })
            .await;
        }
        stack.step("Alertmanager comes back");
        let back = Timestamp::now();
        stack.end("AlertmanagerUnreachable").await;
        back
    };
    let errors = of_workload("HighErrorRatio", "drill", "availability");
    let (errors, back) = join!(stack.ring(errors), comes_back);
    assert!(errors.began() < back && back < errors.rang(), "back at {back}, {errors:?}");
    [errors, stack.rings(&unreachable, since).await]
}

/// Where the one replica is scraped.
async fn the_only_instance(stack: &Paging) -> String {
    eventually(SOON, async || stack.prometheus.up("firedrill", 1).await).await.remove(0)
}

/// The labels of a page about the requests of a workload.
fn of_workload(alert: &str, workload: &str, slo: &str) -> Value {
    json!({ "alertname": alert, "severity": "page", "job": "firedrill", "workload": workload, "slo": slo })
}

/// A workload with no history spends its budget for the hour in a burst, so what rings at once rings here too.
fn budget(workload: &str, slo: &str) -> Value {
    of_workload("ErrorBudgetBurn14x", workload, slo)
}

/// The labels of a page about a whole job.
fn of_job(alert: &str, job: &str) -> Value {
    json!({ "alertname": alert, "severity": "page", "job": job })
}
