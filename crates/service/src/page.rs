//! `/` and what it loads: the live page, whose sources are in `web/`. All of it is in the program, and
//! nothing comes from elsewhere: the page's policy forbids it.
//!
//! A [`File`] is one source, compressed once, at the start. What the page has to know of this service
//! and cannot read from `/openapi.json` is `settings.json`, which holds no secrets.

mod file;
mod link;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::Config;
use file::File;
use firedrill_server::answer::{HTML, JSON, Response, TEXT};
use firedrill_server::html::escape;
use firedrill_server::problem::Problem;
pub use link::{MalformedLink, PageLink};

const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");

/// Only what this service itself serves is loaded, and no script or style stands in the HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

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
    pub(super) fn html(&self, headers: &HeaderMap) -> Response {
        let mut response = self.html.answer(headers);
        let ours = response.headers_mut();
        ours.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        ours.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }

    /// Answers `/page/{file}`.
    pub(super) fn file(&self, path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
        let wanted = path.rsplit('/').next().unwrap_or_default();
        match self.files.iter().find(|(name, _)| *name == wanted) {
            Some((_, file)) => Ok(file.answer(headers)),
            None => Err(Problem::new(StatusCode::NOT_FOUND, "the page has no such file; / is the page")),
        }
    }
}

/// Where the HTML takes the configured links. They stand in it from the beginning, so that nothing moves when they come.
const LINKS: &str = "<!-- links -->";

fn links(config: &Config) -> String {
    let item = |link: &PageLink| {
        let (name, url) = (escape(link.name()), escape(link.url()));
        format!("<li><a href=\"{url}\" rel=\"noopener noreferrer\">{name}</a></li>\n      ")
    };
    config.links.iter().map(item).collect()
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
