//! A stack that somebody causes trouble in, and what its pager says of it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::compose::Project;
use super::runbook::Runbook;
use crate::support::eventually::eventually;
use crate::support::fetch;
use crate::support::prometheus::api::Api;

/// How long after its cause a page may take.
const IN_TIME: Duration = Duration::from_secs(90);

/// A stack of its own, and all that may ring in it.
pub(super) struct Paging {
    pub(super) project: Project,
    pub(super) prometheus: Api,
    pager: String,
    began: Instant,
    /// The alerts that were caused, and those that their runbooks name beside them.
    explained: RefCell<Vec<Value>>,
    /// The names of those that were caused.
    caused: RefCell<Vec<String>>,
}

/// A page, as the pager tells it.
#[derive(Debug)]
pub(super) struct Page(Value);

impl Paging {
    /// Brings these services up, and what they depend on.
    pub(super) async fn up(project: Project, services: &[&str]) -> Self {
        let began = Instant::now();
        project.up(services).await;
        let prometheus = Api { url: format!("http://{}", project.address("prometheus", 9090).await) };
        let pager = format!("http://{}", project.address("pager", 8090).await);
        Self { project, prometheus, pager, began, explained: RefCell::default(), caused: RefCell::default() }
    }

    /// Says what happens.
    pub(super) fn step(&self, what: &str) {
        println!("{:>5.1} s  {what}  ({})", self.began.elapsed().as_secs_f64(), self.project.name);
    }

    /// Causes the alert with these labels as its runbook says, and returns when that is done and its page has come.
    pub(super) async fn ring(&self, labels: Value) -> Page {
        let since = Timestamp::now();
        let ((), page) = tokio::join!(self.cause(name(&labels)), self.rings(&labels, since));
        page
    }

    /// Causes an alert as its runbook says, and returns when that is done.
    pub(super) async fn cause(&self, alert: &str) {
        self.step(&format!("{alert} is caused"));
        self.caused.borrow_mut().push(alert.to_owned());
        self.project.shell(&Runbook::of(alert).cause).await;
    }

    /// The alerts with these labels are no surprise: a runbook says that they ring beside the one that it causes.
    pub(super) fn explain(&self, labels: &[Value]) {
        self.explained.borrow_mut().extend_from_slice(labels);
    }

    /// Waits for the page with exactly these labels of an alert that began after `since`.
    pub(super) async fn rings(&self, labels: &Value, since: Timestamp) -> Page {
        self.explain(std::slice::from_ref(labels));
        let alert = name(labels);
        let page = eventually(IN_TIME, async || {
            let pages = self.pages(&format!("alertname={alert}")).await?;
            let rang = pages
                .iter()
                .find(|page| page.is(labels) && page.began() > since && !page["rang_at"].is_null());
            rang.map(|page| Page(page.0.clone()))
                .ok_or_else(|| format!("no page with {labels} in {pages:#?}"))
        })
        .await;
        let receiver = if labels["severity"] == "page" { "pager" } else { "tickets" };
        assert_eq!(page["receiver"], receiver, "{page:?}");
        self.step(&format!("{alert} rang"));
        page
    }

    /// Ends what does not end by itself, as the runbook says.
    pub(super) async fn end(&self, alert: &str) {
        let end = Runbook::of(alert).end.unwrap_or_else(|| panic!("{alert}'s runbook has no ```sh end"));
        self.project.shell(&end).await;
    }

    /// Waits until each of these pages is resolved.
    pub(super) async fn resolve(&self, limit: Duration, pages: &[Page]) {
        for page in pages {
            let alert = name(&page["labels"]);
            eventually(limit, async || {
                let now = self.pages(&format!("alertname={alert}")).await?;
                let now = now.iter().find(|now| now.is(&page["labels"]) && now.began() == page.began());
                let now = now.ok_or_else(|| format!("{page:#?} was forgotten"))?;
                if now["status"] == "resolved" { Ok(()) } else { Err(format!("{now:#?}")) }
            })
            .await;
            self.step(&format!("{alert} is resolved"));
        }
    }

    /// The pages of alerts that began after `since`.
    pub(super) async fn since(&self, since: Timestamp) -> Vec<Page> {
        self.pages("").await.unwrap().into_iter().filter(|page| page.began() > since).collect()
    }

    /// Every page that came is of an alert that was caused or that a runbook names beside it, and none is of the
    /// workload that had no trouble, although it asked all along. Returns the names of what was caused.
    pub(super) async fn nothing_else_rang(self) -> Vec<String> {
        let mut others = self.pages("").await.unwrap();
        others.retain(|page| !self.explained.borrow().iter().any(|labels| page.is(labels)));
        assert!(others.is_empty(), "these rang as well: {others:#?}");
        let of_demo = self.pages("label=workload=demo").await.unwrap();
        assert!(of_demo.is_empty(), "{of_demo:#?}");
        let demo =
            "job_workload_slo:requests:rate1m{job=\"firedrill\",workload=\"demo\",slo=\"availability\"} > 1";
        assert_eq!(self.prometheus.query(demo).await.unwrap().len(), 1, "nobody asked for demo");
        self.step("nothing else rang");
        self.caused.take()
    }

    /// The pages that this query asks for.
    async fn pages(&self, query: &str) -> Result<Vec<Page>, String> {
        let answer = fetch::get(&format!("{}/pages?{query}", self.pager)).await?.json()?;
        let pages = answer["pages"].as_array().ok_or_else(|| format!("no pages: {answer}"))?;
        Ok(pages.iter().cloned().map(Page).collect())
    }
}

impl Page {
    /// Whether its labels are these and no others.
    pub(super) fn is(&self, labels: &Value) -> bool {
        self["labels"] == *labels
    }

    /// When the alert began to fire.
    pub(super) fn began(&self) -> Timestamp {
        self["starts_at"].as_str().unwrap().parse().unwrap()
    }

    /// When the pager was told of it first.
    pub(super) fn rang(&self) -> Timestamp {
        self["rang_at"].as_str().unwrap().parse().unwrap()
    }
}

impl std::ops::Index<&str> for Page {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.0[field]
    }
}

fn name(labels: &Value) -> &str {
    labels["alertname"].as_str().unwrap()
}
