//! The least that answers `/health` over HTTP, with each of two libraries.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::routing::get;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::core::Core;

pub(crate) const HEALTHY: &str = "I'm healthy";

/// hyper, which the service stands on.
pub(crate) fn hyper(core: &Core) -> SocketAddr {
    let (listener, address) = listen(core);
    core.keep_running(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = service_fn(async |_| {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(HEALTHY.as_bytes()))))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// axum, on hyper as well, as its own examples start it.
pub(crate) fn axum(core: &Core) -> SocketAddr {
    let (listener, address) = listen(core);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| stream.set_nodelay(true).unwrap());
    let router = axum::Router::new().route("/health", get(async || HEALTHY));
    core.keep_running(axum::serve(listener, router).into_future());
    address
}

fn listen(core: &Core) -> (TcpListener, SocketAddr) {
    let listener = core.run(async { TcpListener::bind("127.0.0.1:0").await.unwrap() });
    let address = listener.local_addr().unwrap();
    (listener, address)
}
