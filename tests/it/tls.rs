//! Over TLS: whom the program trusts, what it says where it does not, and that a drill holds over it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::directory::Directory;
use crate::support::process::{Ended, Process};
use crate::support::serving::Serving;

/// How long the drill below may take, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// An authority that exists for one test.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        // Two of one name would be one that signed wrongly.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::new([]).unwrap();
        let name = format!("authority {}", NUMBER.fetch_add(1, Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate, in a file of this directory.
    fn write(&self, directory: &Directory) -> String {
        directory.write("ca.pem", &self.0.pem());
        directory.path().join("ca.pem").to_str().unwrap().to_owned()
    }

    /// Speaks TLS before a server that does not, with a certificate for this name, and says where.
    async fn before(&self, server: SocketAddr, name: &str, expired: bool) -> u16 {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if expired {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1));
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that goes away is one of those that are tried here.
                    let mut secured = acceptor.accept(stream).await?;
                    copy_bidirectional(&mut secured, &mut TcpStream::connect(server).await?).await
                });
            }
        });
        port
    }
}

async fn probe(arguments: &[&str]) -> Ended {
    Process::start(&[&["probe", "--timeout", "10s"], arguments].concat()).ended().await
}

#[tokio::test]
async fn who_proves_to_be_the_host_is_trusted_and_nobody_else() {
    let (directory, authority) = (Directory::new("trust"), Authority::new());
    let ca = authority.write(&directory);
    let serve = Serving::start_with("serve", &[], &[]).await;
    for (host, name) in [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1")] {
        let port = authority.before(serve.address, name, false).await;
        let ended = probe(&["--ca-file", &ca, &format!("https://{host}:{port}/ready")]).await;
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    }
    let right = authority.before(serve.address, "localhost", false).await;
    let other = authority.before(serve.address, "other.example", false).await;
    let expired = authority.before(serve.address, "localhost", true).await;
    let stranger = Authority::new().before(serve.address, "localhost", false).await;
    for (port, says) in [
        (other, "not valid for name \"localhost\""),
        (expired, "certificate expired"),
        (
            stranger,
            "no authority that is trusted has signed the server's certificate: name the one that did by --ca-file",
        ),
        (serve.address.port(), "the server does not speak TLS: is it http:// there?"),
    ] {
        let ended = probe(&["--ca-file", &ca, &format!("https://localhost:{port}/ready")]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(says) && ended.stderr.lines().count() == 1, "{says}: {ended:?}");
    }
    // Those that the system trusts are others.
    directory.write("system.pem", &Authority::new().0.pem());
    let system = directory.path().join("system.pem");
    let url = format!("https://localhost:{right}/ready");
    let variables = [("SSL_CERT_FILE", system.to_str().unwrap())];
    let ended = Process::start_with(&["probe", "--timeout", "10s", &url], &variables).ended().await;
    assert!(ended.code == Some(1) && ended.stderr.contains("--ca-file"), "{ended:?}");
    let variables = [("SSL_CERT_FILE", &*ca)];
    let ended = Process::start_with(&["probe", "--timeout", "10s", &url], &variables).ended().await;
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[tokio::test]
async fn a_file_that_names_no_authority_is_refused() {
    let directory = Directory::new("ca");
    directory.write("empty.pem", "");
    let empty = directory.path().join("empty.pem");
    for (file, says) in [
        (empty.to_str().unwrap(), "found no certificate in it"),
        ("nowhere.pem", "cannot read the CA file nowhere.pem"),
    ] {
        let ended = probe(&["--ca-file", file, "https://localhost/"]).await;
        assert!(ended.code == Some(2) && ended.stderr.contains(says), "{ended:?}");
    }
}

#[tokio::test]
async fn load_goes_over_tls_and_says_once_why_it_cannot() {
    let (directory, authority) = (Directory::new("load"), Authority::new());
    let ca = authority.write(&directory);
    let serve = Serving::start_with("serve", &[], &[]).await;
    let port = authority.before(serve.address, "localhost", false).await;
    let url = format!("https://localhost:{port}");
    let load = ["load", "--json", "--rate", "100/s", "--for", "500ms", "--work", "latency=0"];
    let ended = Process::start(&[&load[..], &["--ca-file", &ca, &url]].concat()).ended().await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["answered"]["200"], 50, "{report}");
    directory.write("other.pem", &Authority::new().0.pem());
    let other = directory.path().join("other.pem");
    let ended =
        Process::start(&[&load[..], &["--ca-file", other.to_str().unwrap(), &url]].concat()).ended().await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["unanswered"]["unreachable"], 50, "{report}");
    assert_eq!(ended.stderr.matches("no authority that is trusted").count(), 1, "{ended:?}");
}

#[tokio::test]
async fn a_drill_over_tls_holds_also_of_clients_that_hang_up() {
    let (directory, authority) = (Directory::new("tls-drill"), Authority::new());
    let ca = authority.write(&directory);
    let serve = Serving::start_with("serve", &[], &[]).await;
    let port = authority.before(serve.address, "localhost", false).await;
    directory.write(
        "short.yaml",
        "name: short\nworkload: drill\nphases:\n  calm: { for: 1s, rate: 50/s, work: { latency: 10ms } }\n  \
         rude: { for: 1s, rate: 20/s, hang_up: before the answer, work: { latency: 400ms } }\n  \
         cut: { for: 1s, rate: 10/s, hang_up: in the answer, work: { body: 16MiB } }\n\
         expect:\n  - counts: all phases\n  - scrapes: no gaps\n",
    );
    let url = format!("https://localhost:{port}");
    let drill = async |more: &[&str]| {
        let arguments = [&["drill", "--target", &url, "short.yaml"], more].concat();
        Process::start_in(directory.path(), &arguments, &[]).ended_within(LIMIT).await
    };
    let ended = drill(&["--ca-file", &ca]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("80 sent, 80 counted"), "{ended:?}");
    let stranger = Authority::new();
    directory.write("other.pem", &stranger.0.pem());
    let ended = drill(&["--ca-file", "other.pem"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let says = format!("GET {url}/metrics: no authority that is trusted has signed");
    assert!(ended.stderr.contains(&says), "{ended:?}");
}
