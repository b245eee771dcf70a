//! The live page, the pager's page and the report as people have them: in Chromium, driven through WebDriver.
//!
//! A [`Browser`] is one window with a profile of its own. What is waited for is a condition in the page.

mod accessible;
mod charts;
mod form;
mod keyboard;
mod loads;
mod looks;
mod measured;
mod outage;
mod pager;
mod presets;
mod report;
mod token;
mod tools;

use std::process::Stdio;
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::directory::Directory;
use crate::support::eventually::eventually;
use crate::support::process::within;
use tools::{Log, Tools};

/// How long something that the page does in its next second may take, on the slowest machine.
const SOON: Duration = Duration::from_secs(30);

/// What every window begins with.
const DESK: (u32, u32) = (1440, 900);
/// The narrowest screen that is still for people.
const TELEPHONE: (u32, u32) = (360, 740);

/// A colour scheme.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A window. Dropping it ends the browser.
pub(crate) struct Browser {
    client: Client,
    chromedriver: Child,
    /// Chromium's profile, and whatever else it leaves behind.
    _left: Directory,
}

impl Browser {
    /// A window that shows this.
    pub(crate) async fn open(url: &str) -> Self {
        let browser = Self::start().await;
        browser.goto(url).await;
        browser
    }

    /// An empty window.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, of a Chromium that gets these arguments too.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        let left = Directory::new("browser");
        let mut chromedriver = Command::new("chromedriver");
        chromedriver.arg("--port=0").env("TMPDIR", left.path()).process_group(0);
        chromedriver.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut chromedriver =
            chromedriver.spawn().expect("chromedriver: install Debian's chromium and chromium-driver");
        let mut said = BufReader::new(chromedriver.stdout.take().unwrap()).lines();
        let port = async {
            while let Some(line) = said.next_line().await.unwrap() {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    return port.trim_end_matches('.').to_owned();
                }
            }
            panic!("chromedriver ended before it listened")
        };
        let port = within(port, "chromedriver to listen").await;
        let mut client = ClientBuilder::new(HttpConnector::new());
        client.capabilities(capabilities(more));
        let url = format!("http://127.0.0.1:{port}");
        let client = within(client.connect(&url), "Chromium to start").await.unwrap();
        let browser = Self { client, chromedriver, _left: left };
        browser.size(DESK).await;
        browser
    }

    pub(crate) async fn goto(&self, url: &str) {
        within(self.client.goto(url), url).await.unwrap();
    }

    /// Runs a function's body in the page; what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.run_with(script, Vec::new()).await
    }

    /// The same, with its `arguments`.
    pub(crate) async fn run_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        within(self.client.execute(script, arguments), script).await.unwrap()
    }

    /// Runs a function's body that calls its last argument with what it found.
    pub(crate) async fn run_until_done(&self, script: &str) -> Value {
        within(self.client.execute_async(script, Vec::new()), script).await.unwrap()
    }

    /// One command of the developers' tools.
    pub(crate) async fn tools(&self, method: &'static str, parameters: Value) -> Value {
        within(self.client.issue_cmd(Tools { method, parameters }), method).await.unwrap()
    }

    /// Presses a key, and lets go of it.
    pub(crate) async fn press(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned());
        let keys = keys.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key });
        self.client.perform_actions(keys).await.unwrap();
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap()
    }

    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// Puts this text in place of what a field has.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Waits until this expression is true in the page.
    pub(crate) async fn until(&self, what: &str, expression: &str) {
        eventually(SOON, async || {
            let found = self.run(&format!("return {expression}")).await;
            if found == true { Ok(()) } else { Err(format!("{what}: {expression} is {found}")) }
        })
        .await;
    }

    /// Waits until there is such an element and its text has this in it.
    pub(crate) async fn says(&self, css: &str, expected: &str) {
        let script = "return document.querySelector(arguments[0])?.innerText ?? 'nothing'";
        eventually(SOON, async || {
            let text = self.run_with(script, vec![json!(css)]).await;
            let said = text.as_str().is_some_and(|text| text.contains(expected));
            if said { Ok(()) } else { Err(format!("{css} says {text}, not {expected:?}")) }
        })
        .await;
    }

    /// Waits until nothing leaves any more and every request from the form has its answer.
    pub(crate) async fn all_answered(&self) {
        self.until("the last request", "!document.getElementById('send').disabled").await;
        self.until(
            "every answer",
            "/^Sent (?!.*; \\d+ in flight)/.test(document.getElementById('tally').textContent)",
        )
        .await;
    }

    /// Gives the page this width and height, which a window alone cannot make as narrow as a telephone.
    pub(crate) async fn size(&self, (width, height): (u32, u32)) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Lets the system prefer this.
    pub(crate) async fn prefer(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.tools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// What the browser complained of since it was last asked: errors in scripts, what the policy forbids, files
    /// that are missing.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log).await.unwrap();
        let all = log.as_array().unwrap().iter();
        let bad = all.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        bad.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// How far the page can be scrolled sideways.
    pub(crate) async fn overflow(&self) -> i64 {
        let script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth";
        self.run(script).await.as_i64().unwrap()
    }
}

fn capabilities(more: &[&str]) -> Map<String, Value> {
    let mut arguments = vec!["--headless=new", "--disable-dev-shm-usage", "--hide-scrollbars"];
    arguments.extend(more);
    if geteuid().is_root() {
        arguments.push("--no-sandbox");
    }
    let wanted = [
        ("browserName", json!("chrome")),
        ("goog:chromeOptions", json!({ "args": arguments })),
        ("goog:loggingPrefs", json!({ "browser": "ALL" })),
    ];
    wanted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(id) = self.chromedriver.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
            // Chromium is in chromedriver's group, and would outlive it.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}
