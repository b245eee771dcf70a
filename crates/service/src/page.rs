//! `/` and what it loads: the live page, whose sources are in `web/`. All of it is in the program, and
//! nothing comes from elsewhere: the page's policy forbids it.
//!
//! A [`File`] is one source, compressed once, at the start. What the page has to know of this service
//! and cannot read from `/openapi.json` is `settings.json`, which holds no secrets.

mod file;

use http::{HeaderMap, StatusCode};
use maud::html;
use serde_json::json;

use super::config::Config;
use file::File;
use firedrill_server::answer::{Answer, CSS, HTML, JSON, SCRIPT, TEXT};
use firedrill_server::problem::Problem;

/// The sources in `web/page`, by name.
macro_rules! sources {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!("../../../web/page/", $name)))),+]
    };
}

/// The page of one service.
pub(super) struct Page {
    html: File,
    files: Vec<(&'static str, File)>,
}

impl Page {
    /// Compresses every file.
    pub(super) fn new(config: &Config) -> Self {
        let mut files = vec![
            ("look.css", File::new(CSS, include_str!("../../../web/look.css"))),
            ("uPlot.min.css", File::new(CSS, include_str!("../../../web/vendor/uPlot/uPlot.min.css"))),
            (
                "uPlot.iife.min.js",
                File::new(SCRIPT, include_str!("../../../web/vendor/uPlot/uPlot.iife.min.js")),
            ),
            ("uPlot-LICENSE.txt", File::new(TEXT, include_str!("../../../web/vendor/uPlot/LICENSE"))),
            ("page.css", File::new(CSS, include_str!("../../../web/page/page.css"))),
            ("settings.json", File::new(JSON, settings(config))),
        ];
        let scripts = sources!(
            "bounds.js",
            "charts.js",
            "counting.js",
            "exposition.js",
            "form.js",
            "history.js",
            "page.js",
            "quantile.js",
            "sender.js",
            "snippets.js",
            "watch.js"
        );
        files.extend(scripts.map(|(name, text)| (name, File::new(SCRIPT, text))));
        let html = include_str!("../../../web/page/index.html").replace(LINKS, &links(config));
        Self { html: File::new(HTML, html), files }
    }

    /// The names of the files that it loads.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.files.iter().map(|(name, _)| *name)
    }

    /// Answers `/`.
    pub(super) fn html(&self, headers: &HeaderMap) -> Answer {
        self.html.answer(headers).with_page_policy()
    }

    /// Answers `/page/{file}`.
    pub(super) fn file(&self, path: &str, headers: &HeaderMap) -> Result<Answer, Problem> {
        let wanted = path.rsplit('/').next().unwrap_or_default();
        match self.files.iter().find(|(name, _)| *name == wanted) {
            Some((_, file)) => Ok(file.answer(headers)),
            None => {
                Err(Problem::new(StatusCode::NOT_FOUND, "the page has no such file; the page itself is /"))
            }
        }
    }
}

/// Where the HTML takes the configured links. They stand in it from the beginning, so that nothing moves when they come.
const LINKS: &str = "<!-- links -->";

fn links(config: &Config) -> String {
    let links = html! {
        @for link in &config.links {
            li { a href=(link.url()) rel="noopener noreferrer" { (link.name()) } }
        }
    };
    links.into_string()
}

/// What the page is told of the service.
fn settings(config: &Config) -> String {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "token_needed": config.token.is_some(),
        "open": { "latency_seconds": config.open.latency.as_secs_f64(), "body_bytes": config.open.body.bytes() },
        "workloads": config.workloads.names().collect::<Vec<_>>(),
    })
    .to_string()
}
