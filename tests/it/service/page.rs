//! The live page, as a browser would load it.

use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::support::client::Answer;
use crate::support::service::Service;

const GZIP: &str = "accept-encoding: gzip\r\n";

async fn ask(service: &Service, method: &str, target: &str, headers: &str) -> Answer {
    let mut client = service.connect().await;
    client.send(format!("{method} {target} HTTP/1.1\r\nhost: test\r\n{headers}\r\n")).await;
    if method == "HEAD" { client.head_alone().await } else { client.answer().await }
}

/// Everything that the page loads, found as a browser finds it: from the HTML, and from what imports what.
async fn loaded(service: &Service) -> Vec<(String, Answer)> {
    let mut found = vec!["/".to_owned(), "/page/settings.json".to_owned()];
    let mut all = Vec::new();
    while let Some(target) = found.pop() {
        let answer = service.get(&target).await;
        assert_eq!(answer.status, 200, "{target}");
        for quoted in answer.text().split('"') {
            let file = match quoted.strip_prefix("./") {
                Some(file) => format!("/page/{file}"),
                None if quoted.starts_with("page/") => format!("/{quoted}"),
                None => continue,
            };
            if !found.contains(&file) && !all.iter().any(|(known, _)| *known == file) {
                found.push(file);
            }
        }
        all.push((target, answer));
    }
    all
}

#[tokio::test]
async fn the_page_runs_no_script_of_its_own_html_and_loads_from_nowhere_else() {
    let service = Service::start(&[]).await;
    let page = service.get("/").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text();
    for inline in ["<script>", "<style", " style=", " onclick=", " onload=", "javascript:"] {
        assert!(!html.contains(inline), "{inline}");
    }
    let loaded = loaded(&service).await;
    assert!(loaded.len() > 12, "{:?}", loaded.iter().map(|(target, _)| target).collect::<Vec<_>>());
    for (target, answer) in loaded {
        // An address in a comment or an example names no origin that is asked: what asks is one of these.
        let text = answer.text();
        for elsewhere in [
            "src=\"http",
            "src=\"//",
            "href=\"http",
            "href=\"//",
            "@import",
            "from \"http",
            "fetch(\"http",
            "localStorage",
        ] {
            assert!(!text.contains(elsewhere), "{target} has {elsewhere}");
        }
        assert!(!target.ends_with(".css") || !text.contains("url("), "{target} loads something");
    }
}

#[tokio::test]
async fn the_whole_page_is_under_150_kb_compressed() {
    let service = Service::start(&[]).await;
    let mut bytes = 0;
    for (target, plain) in loaded(&service).await {
        let zipped = ask(&service, "GET", &target, GZIP).await;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{target}");
        assert_eq!(zipped.header("vary"), Some("accept-encoding"), "{target}");
        bytes += zipped.body.len();
        let mut unzipped = Vec::new();
        GzDecoder::new(&zipped.body[..]).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, plain.body, "{target}");
    }
    assert!(bytes < 150_000, "{bytes} bytes");
}

#[tokio::test]
async fn a_browser_that_has_a_file_already_gets_it_again_only_when_it_changed() {
    let service = Service::start(&[]).await;
    for target in ["/", "/page/page.js"] {
        let first = service.get(target).await;
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let etag = first.header("etag").unwrap().to_owned();
        let again = ask(&service, "GET", target, &format!("if-none-match: \"old\", {etag}\r\n")).await;
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(again.header("etag"), Some(&*etag));
        let changed = ask(&service, "GET", target, "if-none-match: \"old\"\r\n").await;
        assert_eq!((changed.status, &changed.body), (200, &first.body));
        let head = ask(&service, "HEAD", target, "").await;
        assert_eq!((head.status, head.header("etag")), (200, Some(&*etag)));
        assert_eq!(head.header("content-length"), Some(&*first.body.len().to_string()));
    }
}

#[tokio::test]
async fn every_file_of_the_page_is_counted_under_one_route() {
    let service = Service::start(&[]).await;
    for (target, status) in
        [("/page/page.js", 200), ("/page/look.css", 200), ("/page/nothing.js", 404), ("/page/a/b", 404)]
    {
        assert_eq!(service.get(target).await.status, status, "{target}");
    }
    let name = "http_server_request_duration_seconds_count";
    let scrape = service
        .scrape_until("what was asked for", |scrape| scrape.sum(name, &[("http_route", "unmatched")]) == 1.0)
        .await;
    assert_eq!(scrape.sum(name, &[("http_route", "/page/{file}")]), 3.0);
}

#[tokio::test]
async fn the_form_has_a_field_for_each_parameter() {
    let service = Service::start(&[]).await;
    let html = service.get("/").await.text();
    let document = service.get("/openapi.json").await.json();
    let names = document["paths"]["/work"]["get"]["parameters"].as_array().unwrap().iter();
    let names: BTreeSet<_> = names.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
    let fields = html.split("id=\"f-").skip(1).map(|field| field.split('"').next().unwrap().to_owned());
    assert_eq!(fields.collect::<BTreeSet<_>>(), names);
}

#[tokio::test]
async fn the_page_is_told_links_and_whether_there_is_a_token_and_never_the_token() {
    let flags = ["--link", "Prometheus=http://localhost:9090/a?b&c", "--link", "<b>=http://localhost:8090/"];
    let service = Service::start_with(&flags, &[("FIREDRILL_TOKEN", "a-token-for-this-test")]).await;
    let answer = service.get("/page/settings.json").await;
    let settings = answer.json();
    assert_eq!(settings["token_needed"], true);
    assert!(!answer.text().contains("a-token-for-this-test"));
    let html = service.get("/").await.text();
    for link in [
        "<a href=\"http://localhost:9090/a?b&amp;c\" rel=\"noopener noreferrer\">Prometheus</a>",
        ">&lt;b&gt;</a>",
    ] {
        assert!(html.contains(link), "{link} in\n{html}");
    }
    assert!(!html.contains("<!--"), "each has its place");
    assert_eq!(Service::start(&[]).await.get("/page/settings.json").await.json()["token_needed"], false);
}
