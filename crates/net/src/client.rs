//! One question to a source of evidence, and its whole answer, bounded in size and time.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::{AGENT, Connector, Credentials, Target, Trust};
use firedrill_contract::{Size, display};

/// How long an answer may take, unless told otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read, after decompression.
pub const LARGEST: Size = Size::mebibytes(64);

/// How much is shown of a question, and of an answer that is not what was expected, in characters.
const SHOWN: usize = 300;

/// Asks one source.
#[derive(Debug, Clone)]
pub struct Client {
    base: Target,
    connector: Arc<Connector>,
    credentials: Option<Credentials>,
    timeout: Duration,
    largest: Size,
}

/// Something to ask, below the address of the source.
#[derive(Debug, Clone)]
pub struct Question {
    method: Method,
    path: &'static str,
    /// What follows the path, such as the uid of a dashboard.
    below: String,
    parameters: Vec<(&'static str, String)>,
    json: Option<String>,
    accept: &'static str,
}

impl Question {
    /// A GET.
    pub const fn get(path: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            below: String::new(),
            parameters: Vec::new(),
            json: None,
            accept: "application/json",
        }
    }

    /// A POST of a form, for what may be longer than a URL should be.
    pub fn form(path: &'static str) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    /// A POST of JSON.
    pub fn json(path: &'static str, json: String) -> Self {
        Self { method: Method::POST, json: Some(json), ..Self::get(path) }
    }

    /// Below the path: one more segment of it.
    pub fn below(mut self, segment: &str) -> Self {
        self.below = utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string();
        self
    }

    /// With one more parameter.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// For an answer of another media type than JSON.
    pub const fn accepting(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.parameters).finish()
    }
}

/// Why there is no usable answer: what was asked, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked}: {found}")]
pub struct Failure {
    asked: String,
    found: String,
    kind: Kind,
}

/// What can be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nobody answers, or not in time: another time they may.
    Unavailable,
    /// The answer is larger than what is read: ask for less.
    TooLarge,
    /// An answer that another attempt will not change.
    Unexpected,
}

impl Failure {
    /// Whether the same question may be answered another time.
    pub fn may_pass(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Whether a question for less may be answered.
    pub fn is_too_large(&self) -> bool {
        self.kind == Kind::TooLarge
    }

    /// One of which a question for less may be answered.
    #[must_use]
    pub fn too_large(self) -> Self {
        Self { kind: Kind::TooLarge, ..self }
    }
}

/// Why there is no whole answer.
struct Broken {
    found: String,
    kind: Kind,
}

impl From<String> for Broken {
    fn from(found: String) -> Self {
        Self { found, kind: Kind::Unavailable }
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer<'a> {
    client: &'a Client,
    asked: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// Of the source at this address; a path in it precedes every path that is asked for.
    #[must_use]
    pub fn new(base: Target, credentials: Option<Credentials>) -> Self {
        let connector = Arc::new(base.connector(&Trust::of_system()));
        Self { base, connector, credentials, timeout: TIMEOUT, largest: LARGEST }
    }

    /// Trusting these authorities where the address is one of `https`, instead of the system's.
    #[must_use]
    pub fn trusting(mut self, trust: &Trust) -> Self {
        self.connector = Arc::new(self.base.connector(trust));
        self
    }

    /// Waiting so long for an answer.
    #[must_use]
    pub const fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Reading answers up to this size.
    #[must_use]
    pub const fn up_to(mut self, largest: Size) -> Self {
        self.largest = largest;
        self
    }

    /// Asks, and reads the answer whatever its status.
    pub async fn ask(&self, question: &Question) -> Result<Answer<'_>, Failure> {
        let asked = self.asked(question);
        let deadline = Instant::now() + self.timeout;
        let answered = timeout_at(deadline, self.exchange(question, deadline)).await;
        let late = || Err(format!("no complete response within {}", display::duration(self.timeout)).into());
        match answered.unwrap_or_else(|_| late()) {
            Ok((status, headers, body)) => Ok(Answer { client: self, asked, status, headers, body }),
            Err(Broken { found, kind }) => Err(Failure { kind, ..self.failure(asked, &found) }),
        }
    }

    /// Asks, and takes no answer but one of 2xx.
    pub async fn fetch(&self, question: &Question) -> Result<Answer<'_>, Failure> {
        let answer = self.ask(question).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(answer.unexpected("an answer")) }
    }

    /// The status that the address itself answers, and the beginning of its body where that is not 2xx. The body of a
    /// success is not read.
    ///
    /// # Errors
    /// Why there is no status.
    pub async fn probe(&self) -> Result<(StatusCode, String), String> {
        let path = match self.base.query() {
            Some(query) => format!("{}?{query}", self.base.path()),
            None => self.base.path().to_owned(),
        };
        let request = Request::builder().uri(path).header(header::HOST, self.base.host_header());
        let request = request.header(header::CONNECTION, "close").header(header::USER_AGENT, AGENT);
        let request = request.body(Full::default()).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + self.timeout;
        let probed = timeout_at(deadline, async {
            let answer = self.send(request, deadline).await?;
            let status = answer.status();
            if status.is_success() {
                return Ok((status, String::new()));
            }
            let body = Limited::new(answer.into_body(), SHOWN).collect().await;
            let body = body.map(|body| body.to_bytes()).unwrap_or_default();
            Ok((status, one_line(&String::from_utf8_lossy(&body))))
        });
        let late = || Err(format!("no response within {}", display::duration(self.timeout)));
        probed.await.unwrap_or_else(|_| late())
    }

    /// Sends a request on a connection of its own.
    async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, String> {
        let stream = self.connector.open(deadline).await.map_err(|why| why.to_string())?.stream;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(whole)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(whole)
    }

    async fn exchange(
        &self,
        question: &Question,
        deadline: Instant,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Broken> {
        let answer = self.send(self.request(question)?, deadline).await?;
        let (parts, body) = answer.into_parts();
        let limit = usize::try_from(self.largest.bytes()).unwrap_or(usize::MAX);
        let too_large = || Broken {
            found: format!("the answer has more than {} bytes", self.largest.bytes()),
            kind: Kind::TooLarge,
        };
        let body = match Limited::new(body, limit).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
            Err(error) => return Err(format!("the answer broke off: {error}").into()),
        };
        let body = match parts.headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => body,
            Some(b"gzip") => gunzip(&body, limit)?.ok_or_else(too_large)?,
            Some(other) => {
                let found = format!("the answer is encoded as {:?}", String::from_utf8_lossy(other));
                return Err(Broken { found, kind: Kind::Unexpected });
            }
        };
        Ok((parts.status, parts.headers, body))
    }

    fn request(&self, question: &Question) -> Result<Request<Full<Bytes>>, String> {
        let encoded = question.encoded();
        let mut path = self.path(question);
        let (kind, body) = match &question.json {
            Some(json) => ("application/json", json.clone()),
            None if question.method == Method::POST => ("application/x-www-form-urlencoded", encoded),
            None => {
                if !encoded.is_empty() {
                    path = format!("{path}?{encoded}");
                }
                ("", String::new())
            }
        };
        let mut request = Request::builder()
            .method(&question.method)
            .uri(path)
            .header(header::HOST, self.base.host_header())
            .header(header::CONNECTION, "close")
            .header(header::ACCEPT, question.accept)
            .header(header::ACCEPT_ENCODING, "gzip")
            .header(header::USER_AGENT, AGENT);
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(credentials) = &self.credentials {
            request = request.header(header::AUTHORIZATION, credentials.authorization());
        }
        request.body(Full::from(body)).map_err(|error| error.to_string())
    }

    fn path(&self, question: &Question) -> String {
        format!("{}{}{}", self.base.path().trim_end_matches('/'), question.path, question.below)
    }

    /// The question as a person can repeat it.
    fn asked(&self, question: &Question) -> String {
        let Question { method, parameters, .. } = question;
        let mut asked = format!("{method} {}{}", self.base.origin(), self.path(question));
        for (name, value) in parameters {
            asked.push_str(&format!(" {name}={}", display::truncated(value, SHOWN)));
        }
        asked
    }

    /// That what was found, when this was asked, cannot be used.
    pub fn failure(&self, asked: String, found: &str) -> Failure {
        Failure { asked, found: self.redact(found), kind: Kind::Unexpected }
    }

    fn redact(&self, text: &str) -> String {
        match &self.credentials {
            Some(credentials) => credentials.redact(text),
            None => text.to_owned(),
        }
    }
}

#[cfg(any(test, feature = "testing"))]
impl<'a> Answer<'a> {
    /// An answer that nobody was asked for.
    pub fn unasked(client: &'a Client, status: StatusCode, body: &[u8]) -> Self {
        let (asked, body) = ("GET /".to_owned(), Bytes::copy_from_slice(body));
        Self { client, asked, status, headers: HeaderMap::new(), body }
    }
}

impl Answer<'_> {
    /// Its status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// How many bytes it has, decompressed.
    pub const fn size(&self) -> usize {
        self.body.len()
    }

    /// What it says its content is.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }

    /// Its JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| self.unexpected(&format!("JSON ({error})")))
    }

    /// Its text.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body).map_err(|error| self.unexpected(&format!("UTF-8 ({error})")))
    }

    /// That it is not what was expected.
    pub fn unexpected(&self, expected: &str) -> Failure {
        // What is secret goes before the text is cut, or a part of it could stay.
        let text = self.client.redact(&String::from_utf8_lossy(&self.body));
        let text = one_line(&text);
        let said = if text.is_empty() { text } else { format!(": {}", display::truncated(&text, SHOWN)) };
        let failure = self.failure(&format!("expected {expected}, found {}{said}", self.status));
        let is_busy = self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS;
        if is_busy { Failure { kind: Kind::Unavailable, ..failure } } else { failure }
    }

    /// That it says something else than it should.
    pub fn failure(&self, found: &str) -> Failure {
        self.client.failure(self.asked.clone(), found)
    }
}

/// Decompresses, unless that makes more than `limit` bytes.
fn gunzip(body: &[u8], limit: usize) -> Result<Option<Bytes>, String> {
    let mut whole = Vec::new();
    let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = GzDecoder::new(body).take(more).read_to_end(&mut whole);
    read.map_err(|error| format!("the answer is no gzip: {error}"))?;
    Ok((whole.len() <= limit).then(|| whole.into()))
}

/// An error with its causes.
fn whole(error: hyper::Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// A text as one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::Unsendable;
    use crate::fake::{Fake, answer};
    use firedrill_contract::Token;

    fn client(url: &str) -> Client {
        Client::new(Target::parse(url).unwrap(), None).within(Duration::from_secs(5))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    async fn found(client: &Client, question: &Question) -> Result<String, String> {
        let answer = client.fetch(question).await.map_err(|failure| failure.to_string())?;
        answer.text().map(str::to_owned).map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn a_path_in_the_address_precedes_every_path() {
        let fake = Fake::start(|_| Some(answer("200 OK", "text/plain", b"hello"))).await;
        let client = client(&format!("{}/prometheus/", fake.url));
        let question = Question::get("/api/v1/query").with("query", "a{b=\"c d\"}");
        assert_eq!(found(&client, &question).await.unwrap(), "hello");
        let form = Question::form("/api/v1/query").with("query", "a{b=\"c d\"}");
        assert_eq!(found(&client, &form).await.unwrap(), "hello");
        let [get, post] = &fake.asked()[..] else { panic!() };
        assert!(
            get.starts_with("GET /prometheus/api/v1/query?query=a%7Bb%3D%22c+d%22%7D HTTP/1.1\r\n"),
            "{get}"
        );
        assert!(get.contains(&format!("host: {}\r\n", fake.url.trim_start_matches("http://"))), "{get}");
        assert!(post.starts_with("POST /prometheus/api/v1/query HTTP/1.1\r\n"), "{post}");
        assert!(post.ends_with("\r\n\r\nquery=a%7Bb%3D%22c+d%22%7D"), "{post}");
    }

    #[tokio::test]
    async fn what_fails_is_told_with_what_was_asked_and_found() {
        let fake = Fake::start(|head| match head.split(' ').nth(1).unwrap() {
            "/error" => Some(answer("500 Oops", "text/html", b"<h1>no\n room</h1>")),
            "/long" => Some(answer("404 Not Found", "text/plain", "x".repeat(1_000).as_bytes())),
            "/broken" => Some(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec()),
            "/garbled" => Some(b"SSH-2.0-OpenSSH\r\n".to_vec()),
            "/binary" => Some(answer("200 OK", "text/plain", b"\xff\xfe")),
            "/encoded" => {
                Some(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 0\r\n\r\n".to_vec())
            }
            "/hangs" => None,
            path => panic!("{path}"),
        })
        .await;
        let client = client(&fake.url).within(Duration::from_millis(300));
        for (path, expected) in [
            ("/error", "expected an answer, found 500 Internal Server Error: <h1>no room</h1>".to_owned()),
            ("/long", format!("expected an answer, found 404 Not Found: {}…", "x".repeat(300))),
            ("/broken", "the answer broke off: ".to_owned()),
            ("/garbled", "invalid HTTP version parsed".to_owned()),
            ("/binary", "expected UTF-8 (invalid utf-8 sequence of 1 bytes from index 0)".to_owned()),
            ("/encoded", "the answer is encoded as \"br\"".to_owned()),
            ("/hangs", "no complete response within 300 ms".to_owned()),
        ] {
            let error = found(&client, &Question::get(path)).await.unwrap_err();
            let expected = format!("GET {}{path}: {expected}", fake.url);
            assert!(error.starts_with(&expected), "{error}\n is not\n{expected}");
        }
        let gone = fake.leave().await;
        let error = found(&client, &Question::get("/").with("query", "up")).await.unwrap_err();
        assert_eq!(error, format!("GET {gone}/ query=up: connection refused"));
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_bound_packed_or_not() {
        let fake = Fake::start(|head| {
            let path = head.split(' ').nth(1).unwrap();
            let (size, packed) = path[1..].split_once('/').unwrap();
            let body = "x".repeat(size.parse().unwrap());
            if packed == "plain" {
                return Some(answer("200 OK", "text/plain", body.as_bytes()));
            }
            let body = gzip(body.as_bytes());
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            Some([head.into_bytes(), body].concat())
        })
        .await;
        let client = client(&fake.url).up_to(Size(1_000));
        for path in ["/1000/gzip", "/1000/plain"] {
            assert_eq!(found(&client, &Question::get(path)).await.unwrap().len(), 1_000);
        }
        for path in ["/1001/gzip", "/1001/plain", "/90000/gzip"] {
            let error = found(&client, &Question::get(path)).await.unwrap_err();
            assert!(error.ends_with(": the answer has more than 1000 bytes"), "{error}");
        }
        assert!(fake.asked()[0].contains("accept-encoding: gzip\r\n"));
    }

    #[tokio::test]
    async fn credentials_are_sent_and_never_shown() {
        let fake = Fake::start(|head| Some(answer("403 Forbidden", "text/plain", head.as_bytes()))).await;
        let bearer = Credentials::bearer(&Token::new("t0ken").unwrap());
        let basic = Credentials::basic("me", "pass: word").unwrap();
        for (credentials, secret) in [(bearer, "Bearer t0ken"), (basic, "Basic bWU6cGFzczogd29yZA==")] {
            let client = Client::new(Target::parse(&fake.url).unwrap(), Some(credentials));
            let error = found(&client, &Question::get("/")).await.unwrap_err();
            let asked = fake.asked();
            assert!(asked.last().unwrap().contains(&format!("authorization: {secret}\r\n")), "{asked:?}");
            assert!(error.contains("authorization: ") && error.contains("[redacted]"), "{error}");
            let shown = format!("{error} {client:?}");
            assert!(!shown.contains(secret.split(' ').nth(1).unwrap()), "{shown}");
        }
        assert_eq!(Credentials::basic("a:b", "c").unwrap_err(), Unsendable);
        assert_eq!(Credentials::basic("a", "c\r\nx: y").unwrap_err(), Unsendable);
    }

    #[tokio::test]
    async fn nobody_follows_a_source_elsewhere_least_of_all_with_credentials() {
        let elsewhere = Fake::start(|_| Some(answer("200 OK", "text/plain", b"hello"))).await;
        let there = elsewhere.url.clone();
        let fake = Fake::start(move |_| {
            let head = format!("HTTP/1.1 307 Go\r\nlocation: {there}/\r\ncontent-length: 0\r\n\r\n");
            Some(head.into_bytes())
        })
        .await;
        let credentials = Credentials::bearer(&Token::new("t0ken").unwrap());
        let client = Client::new(Target::parse(&fake.url).unwrap(), Some(credentials));
        let error = found(&client, &Question::get("/")).await.unwrap_err();
        assert!(error.ends_with("expected an answer, found 307 Temporary Redirect"), "{error}");
        assert_eq!((fake.asked().len(), elsewhere.asked().len()), (1, 0));
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up() {
        for (begin, more, expected) in [
            ("HTTP/1.1 200 OK\r\n", "a: b\r\n", "message head is too large"),
            ("HTTP/1.1 200 OK\r\n\r\n", "hello", "the answer has more than 100000 bytes"),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                "5\r\nhello\r\n",
                "more than 100000 bytes",
            ),
            // A byte now and then.
            ("HTTP/1.1 200 OK\r\n\r\n", "", "no complete response within 300 ms"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let endless = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut piece = begin.as_bytes().to_vec();
                while stream.write_all(&piece).await.is_ok() {
                    piece = more.repeat(1_000).into_bytes();
                    if piece.is_empty() {
                        piece = b"x".to_vec();
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            });
            let limit = if more.is_empty() { 300 } else { 30_000 };
            let client = client(&url).within(Duration::from_millis(limit)).up_to(Size(100_000));
            let error = found(&client, &Question::get("/")).await.unwrap_err();
            assert!(error.ends_with(expected), "{error}\n is not\n{expected}");
            // It is hung up on, and so comes to its end.
            endless.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_source_that_takes_a_connection_and_says_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = client(&url).within(Duration::from_millis(50));
        let error = found(&client, &Question::get("/")).await.unwrap_err();
        assert_eq!(error, format!("GET {url}/: no complete response within 50 ms"));
    }
}
