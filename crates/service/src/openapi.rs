//! `/openapi.json`: made from the table of parameters and the caps that are in force.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::route;
use firedrill_contract::parameter::{Caps, Kind, PARAMETERS, Parameter};
use firedrill_contract::quantity::{self, format_duration};
use firedrill_contract::{OpenTo, latency};

/// The document, OpenAPI 3.1, of a service whose page loads these files.
pub(super) fn document<'a>(caps: &Caps, open: &OpenTo, files: impl Iterator<Item = &'a str>) -> Bytes {
    let query: Vec<_> = PARAMETERS
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "in": "query",
                "description": about(parameter, caps),
                "schema": schema(parameter, caps),
                "example": example(parameter),
            })
        })
        .collect();
    let members: Map<String, Value> = PARAMETERS
        .iter()
        .map(|parameter| {
            let mut schema = schema(parameter, caps);
            schema["description"] = about(parameter, caps).into();
            (parameter.name.to_owned(), schema)
        })
        .collect();
    let cost = format!(
        "Does what its parameters say. cpu, memory, abort, exit, outage, a body above {} and a latency that can exceed {} need the token where the service has one.",
        open.body,
        format_duration(open.latency)
    );
    // A status that was asked for together with body= comes as that text.
    let asked_for = |description: &str| {
        let mut response = problem(description);
        response["content"]["text/plain"] = json!({});
        response
    };
    let work = json!({
        "description": cost,
        "security": [{}, { "token": [] }],
        "responses": {
            "200": { "description": "Done, as asked; without body= a short JSON text that says what was done.",
                     "content": { "application/json": {}, "text/plain": {} } },
            "400": asked_for("A parameter is unknown, malformed, over its cap or contradicts another."),
            "401": asked_for("What was asked for is costly, and the token is missing or wrong."),
            "403": asked_for("What was asked for is costly, and a page of another site asked for it."),
            "503": asked_for("A limit is reached; Retry-After says when to try again."),
            "default": {
                "description": "Any registered status, where status or error_status asks for it: from 400 a problem, below it what was done, with body= its text.",
                "content": {
                    "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
                    "application/json": {},
                    "text/plain": {}
                }
            }
        }
    });
    let by_query = {
        let mut operation = work.clone();
        operation["operationId"] = "workByQuery".into();
        operation["parameters"] = query.into();
        operation
    };
    let by_body = {
        let mut operation = work;
        operation["operationId"] = "workByBody".into();
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": {
            "type": "object",
            "properties": members,
            "additionalProperties": false
        } } } });
        operation["responses"]["408"] = asked_for("The request's body did not arrive in time.");
        operation["responses"]["413"] = asked_for("The request's body is too large.");
        operation["responses"]["415"] = asked_for("The request's body is not JSON.");
        operation
    };
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "firedrill",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A service that misbehaves on request, in a known way.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "paths": {
            route::PAGE.path(): { "get": answers("page", "The page for people.", "text/html") },
            route::PAGE_FILE.path(): { "get": page_file(files) },
            route::HEALTH.path(): { "get": answers("health", "Alive: the text `I'm healthy`.", "text/plain") },
            route::READY.path(): { "get": {
                "operationId": "ready",
                "responses": {
                    "200": { "description": "Takes work.", "content": { "text/plain": {} } },
                    "503": problem("Drains, or the limit of requests for work at a time is reached."),
                }
            } },
            route::METRICS.path(): { "get": {
                "operationId": "metrics",
                "responses": { "200": {
                    "description": "Metrics, in the format that the Accept header likes best.",
                    "content": {
                        "text/plain": {},
                        "application/openmetrics-text": {},
                        "application/vnd.google.protobuf": {}
                    }
                } }
            } },
            route::WORK.path(): { "get": by_query, "post": by_body },
            route::OPENAPI.path(): { "get": answers("openapi", "This document.", "application/json") },
        },
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Problem": {
                "type": "object",
                "description": "What went wrong (RFC 9457).",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": { "type": "string" },
                    "title": { "type": "string" },
                    "status": { "type": "integer" },
                    "detail": { "type": "string" },
                    "parameter": { "type": "string", "description": "The parameter that was refused." },
                    "got": { "type": "string", "description": "What it was given." },
                    "expected": { "type": "string", "description": "What it takes." }
                }
            } }
        }
    });
    Bytes::from(document.to_string())
}

fn about(parameter: &Parameter, caps: &Caps) -> String {
    format!("{} Takes {}.", parameter.about, parameter.takes(caps))
}

/// A program reads the cap from here: in seconds or bytes, beside the text that people write.
fn schema(parameter: &Parameter, caps: &Caps) -> Value {
    let seconds = |pattern: &str, cap: Duration| {
        let cap = cap.as_secs_f64();
        json!({ "type": "string", "pattern": format!("^{pattern}$"), "x-maximum-seconds": cap })
    };
    match parameter.kind {
        Kind::Latency => seconds(&latency::pattern(), caps.latency),
        Kind::Duration => seconds(quantity::DURATION_PATTERN, parameter.longest(caps)),
        Kind::Size => {
            let cap = parameter.largest(caps).bytes();
            let pattern = format!("^{}$", quantity::SIZE_PATTERN);
            json!({ "type": ["string", "integer"], "pattern": pattern, "minimum": 0, "maximum": cap, "x-maximum-bytes": cap })
        }
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Status => json!({ "type": "integer", "enum": parameter.statuses().collect::<Vec<_>>() }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
        Kind::Integer(most) => json!({ "type": "integer", "minimum": 0, "maximum": most }),
        Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
    }
}

/// The example as the type that the schema asks for.
fn example(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::Share | Kind::Status | Kind::Integer(_) => {
            parameter.example.parse().unwrap_or_else(|_| Value::from(parameter.example))
        }
        Kind::Latency | Kind::Duration | Kind::Size | Kind::Choice(_) | Kind::Text => {
            parameter.example.into()
        }
    }
}

fn page_file<'a>(files: impl Iterator<Item = &'a str>) -> Value {
    let file = json!({ "type": "string", "enum": files.collect::<Vec<_>>() });
    json!({
        "operationId": "pageFile",
        "parameters": [{ "name": "file", "in": "path", "required": true, "schema": file }],
        "responses": {
            "200": { "description": "A file that the page loads.",
                     "content": { "text/css": {}, "text/javascript": {}, "application/json": {}, "text/plain": {} } },
            "404": problem("The page has no such file."),
        }
    })
}

fn answers(id: &str, description: &str, content: &str) -> Value {
    json!({
        "operationId": id,
        "responses": { "200": { "description": description, "content": { content: {} } } }
    })
}

fn problem(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    })
}
