//! What a program is asked.

use firedrill_contract::{Refusal, Token};
use http::header;
use http::request::Parts;
use hyper::body::Incoming;

use super::route::Route;

/// A request whose head has been read.
pub struct Request {
    pub route: Route,
    pub query: Query,
    pub head: Parts,
    pub body: Incoming,
}

impl Request {
    pub(crate) fn new(request: http::Request<Incoming>, routes: &[Route]) -> Self {
        let (head, body) = request.into_parts();
        Self {
            route: Route::find(routes, head.uri.path()),
            query: Query::parse(head.uri.query().unwrap_or_default()),
            head,
            body,
        }
    }
}

/// Whether a request carries this token, where one is needed.
pub fn is_authorized(head: &Parts, token: Option<&Token>) -> bool {
    let carries = |token: &Token| {
        head.headers.get(header::AUTHORIZATION).is_some_and(|value| token.is_in(value.as_bytes()))
    };
    token.is_none_or(carries)
}

/// The parameters of a query, decoded, in their order.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes what is percent-encoded as forms are.
    pub fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// Refuses a query where nothing can be asked.
    ///
    /// # Errors
    /// Where there is a parameter.
    pub fn expect_none(&self) -> Result<(), Refusal> {
        let refuse = |(parameter, got): &(String, String)| Refusal {
            parameter: parameter.clone(),
            got: got.clone(),
            expected: "no parameter: there is none here".to_owned(),
        };
        self.0.first().map(refuse).map_or(Ok(()), Err)
    }
}
