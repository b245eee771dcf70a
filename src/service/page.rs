//! `/`: what there is, with links and examples that can be copied.

use http::{HeaderMap, HeaderValue, header};

use super::Shared;
use crate::contract::parameter::PARAMETERS;
use crate::server::answer::{HTML, Response, ok, whole};
use crate::server::html::escape;

const STYLE: &str = include_str!("../../web/page.css");

/// The page, with this service's own address in its examples.
pub(super) fn page(shared: &Shared, headers: &HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8080");
    let host = escape(host);
    let caps = &shared.config.caps;
    let parameters: String = PARAMETERS
        .iter()
        .map(|parameter| {
            format!(
                "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td></tr>\n",
                parameter.name,
                escape(parameter.about),
                escape(&parameter.takes(caps))
            )
        })
        .collect();
    let examples: String = [
        ("A slow tail", "latency=p50=40ms,p99=900ms"),
        ("One in three fails", "error_rate=0.33"),
        ("Half a second of processor time", "cpu=500ms"),
        ("64 MiB held for five seconds", "memory=64MiB&hold=5s"),
        ("A reset connection", "abort=reset"),
    ]
    .iter()
    .map(|(title, query)| {
        let query = escape(query);
        format!("<dt><a href=\"/work?{query}\">{title}</a></dt><dd><code>curl 'http://{host}/work?{query}'</code></dd>\n")
    })
    .collect();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>firedrill</title>\
<style>{STYLE}</style></head><body><main>\n\
<h1>firedrill</h1>\n<p>This service misbehaves on request, in a known way, and measures itself while it does.</p>\n\
<h2>What there is</h2>\n<ul>\
<li><a href=\"/work\"><code>/work</code></a> does what you ask, see below</li>\
<li><a href=\"/metrics\"><code>/metrics</code></a> for Prometheus</li>\
<li><a href=\"/health\"><code>/health</code></a> says that it is alive</li>\
<li><a href=\"/ready\"><code>/ready</code></a> says whether it takes work</li>\
<li><a href=\"/openapi.json\"><code>/openapi.json</code></a> describes all of this to programs</li></ul>\n\
<h2>Try it</h2>\n<dl>{examples}</dl>\n\
<h2>What <code>/work</code> takes</h2>\n\
<p>In the query of a GET, or in the JSON body of a POST.</p>\n\
<div class=\"wide\"><table><thead><tr><th scope=\"col\">name</th><th scope=\"col\">does</th><th scope=\"col\">takes</th></tr></thead>\
<tbody>\n{parameters}</tbody></table></div>\n</main></body></html>\n"
    );
    let mut response = ok(HTML, whole(html));
    // The one style sheet is in the page itself; nothing else is loaded, and nothing runs.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
