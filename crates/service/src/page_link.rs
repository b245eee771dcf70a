//! Where else to look, as a flag says it: `Prometheus=http://localhost:9090`.

use std::str::FromStr;

use http::Uri;

/// A link on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink {
    name: String,
    url: String,
}

/// Text that is no such link. Displays as what would have been right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedLink {
    /// The name is missing, too long or cannot be shown.
    #[error("expected NAME=URL with a name of 1 to 32 characters, such as Prometheus=http://localhost:9090")]
    Name,
    /// What follows is no address of a web page. It is not shown, since it may hold a password.
    #[error("expected NAME=URL with the http or https address of a page, without a user or a password")]
    Url,
}

impl PageLink {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it leads.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl FromStr for PageLink {
    type Err = MalformedLink;

    fn from_str(text: &str) -> Result<Self, MalformedLink> {
        let (name, url) = text.split_once('=').ok_or(MalformedLink::Name)?;
        let name = name.trim();
        if !(1..=32).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(MalformedLink::Name);
        }
        let uri: Uri = url.trim().parse().map_err(|_| MalformedLink::Url)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
        if !is_web || has_user {
            return Err(MalformedLink::Url);
        }
        Ok(Self { name: name.to_owned(), url: url.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_name_and_the_address_of_a_page() {
        let link: PageLink = "Prometheus=http://localhost:9090/graph?a=b".parse().unwrap();
        assert_eq!((link.name(), link.url()), ("Prometheus", "http://localhost:9090/graph?a=b"));
        for (text, wrong) in [
            ("http://localhost:9090", MalformedLink::Name),
            ("=http://localhost:9090", MalformedLink::Name),
            ("Grafana=localhost:3000", MalformedLink::Url),
            ("Grafana=javascript:alert(1)", MalformedLink::Url),
            ("Grafana=https://admin:secret@localhost", MalformedLink::Url),
            ("Grafana=", MalformedLink::Url),
        ] {
            assert_eq!(text.parse::<PageLink>(), Err(wrong), "{text}");
        }
    }
}
