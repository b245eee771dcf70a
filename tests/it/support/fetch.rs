//! One request to somebody else's server, such as Prometheus or Grafana, and its whole answer.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// A GET of this URL.
pub(crate) async fn get(url: &str) -> Result<Fetched, String> {
    send(Request::get(url).body(Full::default()).unwrap()).await
}

/// A GET of this URL by a user with this `Authorization` header.
pub(crate) async fn get_as(url: &str, authorization: &str) -> Result<Fetched, String> {
    send(Request::get(url).header(AUTHORIZATION, authorization).body(Full::default()).unwrap()).await
}

/// A POST of this form.
pub(crate) async fn post_form(url: &str, form: &[(&str, &str)]) -> Result<Fetched, String> {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    send(Request::post(url).header(CONTENT_TYPE, kind).body(form.into()).unwrap()).await
}

/// A POST of this JSON.
pub(crate) async fn post_json(url: &str, json: &Value) -> Result<Fetched, String> {
    let kind = HeaderValue::from_static("application/json");
    send(Request::post(url).header(CONTENT_TYPE, kind).body(json.to_string().into()).unwrap()).await
}

/// Each request has a connection of its own, so that one that was kept and closed meanwhile is no error.
async fn send(request: Request<Full<Bytes>>) -> Result<Fetched, String> {
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let url = request.uri().clone();
    let answer = client.request(request).await.map_err(|error| format!("{url}: {error:?}"))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| format!("{url}: {error:?}"))?.to_bytes();
    Ok(Fetched { status, body })
}

impl Fetched {
    pub(crate) fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
