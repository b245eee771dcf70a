//! TLS for what connects: whom to trust, and what is said over it.
//!
//! The server's certificate must be for the host's name or address (RFC 9525) and lead to a trusted authority
//! (RFC 5280). There is no way to leave that out: give the authority instead.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The certificate authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Trust(Arc<OnceLock<Result<Arc<ClientConfig>, Arc<str>>>>);

/// A text that names no certificate authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTrust {
    /// It has no certificate.
    #[error("found no certificate in it, expected PEM: -----BEGIN CERTIFICATE-----")]
    None,
    /// A part of it cannot be read.
    #[error("found what is no PEM: {0}")]
    Unreadable(String),
    /// A certificate in it can be no authority's.
    #[error("certificate {0} in it cannot be used: {1}")]
    Unusable(usize, String),
}

impl Trust {
    /// Those that the system trusts, or those of the file that the variable `SSL_CERT_FILE` names. They are
    /// looked for when a connection first needs them.
    #[must_use]
    pub fn of_system() -> Self {
        Self(Arc::default())
    }

    /// Those whose certificates this PEM text (RFC 7468) holds, and no others.
    ///
    /// # Errors
    /// When it holds none, or one that cannot be used.
    pub fn only(text: &[u8]) -> Result<Self, NoTrust> {
        let mut roots = RootCertStore::empty();
        for (n, certificate) in CertificateDer::pem_slice_iter(text).enumerate() {
            let certificate = certificate.map_err(|error| match error {
                pem::Error::NoItemsFound => NoTrust::None,
                other => NoTrust::Unreadable(other.to_string()),
            })?;
            roots.add(certificate).map_err(|error| NoTrust::Unusable(n + 1, error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(NoTrust::None);
        }
        Ok(Self(Arc::new(OnceLock::from(trusting(roots)))))
    }

    /// A conversation over this connection with the server of this name, or why there is none.
    pub(super) async fn secure(&self, stream: TcpStream, host: &str) -> Result<Stream, String> {
        let config = self.0.get_or_init(from_system).clone().map_err(|why| why.to_string())?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("no certificate can be for {host:?}: expected a host name or an address"))?;
        let secured = TlsConnector::from(config).connect(name, stream).await;
        secured.map(|stream| Stream::Secure(Box::new(stream))).map_err(|error| explained(&error))
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::of_system()
    }
}

/// What the system trusts. Of its certificates some may be of kinds that are not understood.
fn from_system() -> Result<Arc<ClientConfig>, Arc<str>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        let why = format!("this system trusts no certificate authority{why}: name one by --ca-file");
        return Err(why.into());
    }
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, Arc<str>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Why a handshake failed, and what to do.
fn explained(error: &io::Error) -> String {
    use rustls::Error::{InvalidCertificate, InvalidMessage};
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "no authority that is trusted has signed the server's certificate: name the one that did by --ca-file"
                .to_owned()
        }
        Some(InvalidCertificate(why)) => format!("the server's certificate cannot be trusted: {why}"),
        Some(InvalidMessage(_)) => "the server does not speak TLS: is it http:// there?".to_owned(),
        Some(other) => format!("TLS failed: {other}"),
        None => format!("TLS failed: {error}"),
    }
}

/// A connection, secured or not.
#[derive(Debug)]
pub enum Stream {
    /// Bytes as they are.
    Plain(TcpStream),
    /// Bytes over TLS.
    Secure(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_no_authority_is_refused_with_the_reason() {
        let refused = |text: &str| Trust::only(text.as_bytes()).unwrap_err().to_string();
        assert!(refused("").starts_with("found no certificate in it"));
        assert!(refused("hello\n").starts_with("found no certificate in it"));
        let no_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        assert!(refused(no_base64).starts_with("found what is no PEM"));
        let no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        assert!(refused(no_certificate).starts_with("certificate 1 in it cannot be used"));
    }
}
