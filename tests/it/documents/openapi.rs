//! `/openapi.json` describes what is served: no path more, none less, and each answer as it comes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::client::Answer;
use crate::support::service::Service;

/// A service in which every documented answer can be had.
async fn service() -> Service {
    let flags = ["--max-work", "1", "--body-timeout", "100ms", "--max-request-body", "1KiB"];
    Service::start_with(&flags, &[("FIREDRILL_TOKEN", "a-token-for-this-test")]).await
}

#[tokio::test]
async fn every_path_and_method_is_documented_and_no_other() {
    let service = service().await;
    let document = service.get("/openapi.json").await.json();
    let documented: BTreeSet<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    // An unknown path is answered with the list of those that exist.
    let detail = service.get("/nowhere").await.json()["detail"].as_str().unwrap().to_owned();
    let list = detail.split_once("there are ").unwrap().1;
    let served: BTreeSet<_> = list.split(", ").map(str::to_owned).collect();
    assert_eq!(documented, served);
    for path in &served {
        let refused = service.connect().await.request("BREW", path).await;
        assert_eq!(refused.status, 405, "{path}");
        let allowed: BTreeSet<_> =
            refused.header("allow").unwrap().split(',').map(str::to_lowercase).collect();
        let documented: BTreeSet<_> = document["paths"][path].as_object().unwrap().keys().cloned().collect();
        // HEAD is wherever GET is, and not worth a line of its own.
        assert_eq!(
            allowed.into_iter().filter(|method| method != "head").collect::<BTreeSet<_>>(),
            documented
        );
    }
}

#[tokio::test]
async fn every_documented_answer_comes_as_documented() {
    let service = service().await;
    let document = service.get("/openapi.json").await.json();
    let long = format!("{{\"workload\":\"{}\"}}", "x".repeat(2_000));
    let bearer = "authorization: Bearer a-token-for-this-test\r\n";
    let json = "content-type: application/json\r\n";
    let mut seen = BTreeSet::new();
    let mut busy = service.connect().await;
    busy.send("GET /work?latency=5s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    for (method, target, headers, body, status) in
        [("get", "/ready", "", "", 503), ("get", "/work", "", "", 503), ("post", "/work", json, "{}", 503)]
    {
        let answer = ask(&service, method, target, headers, body).await;
        assert_eq!(answer.status, status, "{method} {target}");
        seen.insert(is_documented(&document, method, target, &answer));
    }
    drop(busy);
    service.in_flight(0.0).await;
    for (method, target, headers, body, status) in [
        ("get", "/", "", "", 200),
        ("get", "/page/page.js", "", "", 200),
        ("get", "/page/settings.json", "", "", 200),
        ("get", "/page/uPlot-LICENSE.txt", "", "", 200),
        ("get", "/page/look.css", "", "", 200),
        ("get", "/page/nothing.js", "", "", 404),
        ("get", "/health", "", "", 200),
        ("get", "/ready", "", "", 200),
        ("get", "/openapi.json", "", "", 200),
        ("get", "/metrics", "", "", 200),
        ("get", "/metrics", "accept: application/openmetrics-text\r\n", "", 200),
        (
            "get",
            "/metrics",
            "accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited\r\n",
            "",
            200,
        ),
        ("get", "/work", "", "", 200),
        ("get", "/work?body=10", "", "", 200),
        ("get", "/work?latency=soon", "", "", 400),
        ("get", "/work?cpu=1ms", "", "", 401),
        ("get", "/work?cpu=1ms", "sec-fetch-site: cross-site\r\n", "", 403),
        ("get", "/work?abort=panic", bearer, "", 500),
        ("get", "/work?status=429", "", "", 429),
        ("get", "/work?status=302", "", "", 302),
        ("get", "/work?status=302&body=10", "", "", 302),
        ("get", "/work?status=400&body=10", "", "", 400),
        ("post", "/work", json, "{}", 200),
        ("post", "/work", json, "{", 400),
        ("post", "/work", json, "{\"cpu\":\"1ms\"}", 401),
        ("post", "/work", &format!("{json}sec-fetch-site: same-site\r\n"), "{\"cpu\":\"1ms\"}", 403),
        ("post", "/work", "content-type: application/json\r\ncontent-length: 9\r\n", "", 408),
        ("post", "/work", json, &long, 413),
        ("post", "/work", "content-type: text/plain\r\n", "{}", 415),
        ("post", "/work", json, "{\"status\":429}", 429),
    ] {
        let answer = ask(&service, method, target, headers, body).await;
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.text());
        seen.insert(is_documented(&document, method, target, &answer));
    }
    // 408, 413 and 415 are about a body, and the parameters of a GET are in its query.
    let with_body = |response: &str| ["408", "413", "415"].contains(&response);
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for response in operation["responses"].as_object().unwrap().keys() {
                let documented = (method.clone(), path.clone(), response.clone());
                assert!(seen.contains(&documented), "documented and never answered: {documented:?}");
                assert!(!(method == "get" && with_body(response)), "{documented:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_example_is_taken_and_every_reference_leads_somewhere() {
    let service = Service::start(&[]).await;
    let document = service.get("/openapi.json").await.json();
    let mut operations = BTreeSet::new();
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        assert!(
            operations.insert(operation["operationId"].as_str().unwrap()),
            "twice: {}",
            operation["operationId"]
        );
    }
    for parameter in document["paths"]["/work"]["get"]["parameters"].as_array().unwrap() {
        let (name, example) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
        let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        let example = form_urlencoded::byte_serialize(example.as_bytes()).collect::<String>();
        // Alone, an error's status would be refused: it needs a rate; exit, outage and abort end what answers.
        if !["error_status", "hold", "n", "exit", "outage", "abort"].contains(&name) {
            let answer = service.get(&format!("/work?{name}={example}")).await;
            assert_ne!(answer.status, 400, "{name}={example}: {}", answer.text());
        }
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

/// One request with these headers, and a body's length where the headers do not say one.
async fn ask(service: &Service, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let length = if headers.contains("content-length") {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    let mut client = service.connect().await;
    let method = method.to_uppercase();
    client.send(format!("{method} {target} HTTP/1.1\r\nhost: test\r\n{headers}{length}\r\n{body}")).await;
    client.answer().await
}

/// The documented answer that this one is; panics where there is none, or none of its content type.
fn is_documented(document: &Value, method: &str, target: &str, answer: &Answer) -> (String, String, String) {
    let path = target.split('?').next().unwrap();
    let path = if path.starts_with("/page/") { "/page/{file}" } else { path };
    let responses = document["paths"][path][method]["responses"].as_object().unwrap();
    let status = answer.status.to_string();
    let key = if responses.contains_key(&status) { &*status } else { "default" };
    let response =
        responses.get(key).unwrap_or_else(|| panic!("{method} {path}: {status} is not documented"));
    let content = answer.header("content-type").unwrap_or_default();
    let content = content.split(';').next().unwrap();
    assert!(
        response["content"].as_object().is_some_and(|kinds| kinds.contains_key(content)),
        "{method} {target}: {status} as {content:?} is not documented: {response}"
    );
    (method.to_owned(), path.to_owned(), key.to_owned())
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
