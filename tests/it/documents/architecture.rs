//! What ARCHITECTURE.md and SECURITY.md say of the sources, held against the sources.

use std::path::{Path, PathBuf};

/// The sources of a crate or a module: its file, and those in the directory of its name.
fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut files = vec![source.join(format!("{module}.rs"))];
    let mut directories = vec![source.join(module)];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files.retain(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "rs"));
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// Each line of a module's that has one of these words.
fn lines_with(module: &str, words: &[&str]) -> Vec<String> {
    let sources = sources(module);
    assert!(!sources.is_empty());
    let lines = sources.iter().flat_map(|(path, text)| {
        let found = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
        found.map(|line| format!("{}: {}", path.display(), line.trim()))
    });
    lines.collect()
}

#[test]
fn what_takes_requests_has_nothing_to_make_one_with() {
    let clients = [
        "firedrill_net",
        "::connect(",
        "hyper::client",
        "reqwest",
        "UdpSocket",
        "lookup_host",
        "to_socket_addrs",
        "Command::new",
    ];
    for module in ["service", "pager", "server", "contract"] {
        assert_eq!(lines_with(module, &clients), Vec::<String>::new(), "{module} could ask somebody");
    }
    assert_ne!(lines_with("net", &clients), Vec::<String>::new(), "these are how it is asked");
}

#[test]
fn a_verdict_asks_nobody_and_reads_nothing() {
    for module in ["drill/src/judge", "drill/src/report"] {
        let found = lines_with(
            module,
            &[
                "firedrill_net::Client",
                "firedrill_net::Connector",
                "hyper",
                "tokio",
                "std::fs",
                "Instant::now",
                "SystemTime",
            ],
        );
        assert_eq!(found, Vec::<String>::new(), "{module} is pure");
    }
}
