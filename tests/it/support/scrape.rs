//! What `/metrics` says, in the text format.

/// All samples of one scrape.
#[derive(Debug)]
pub(crate) struct Scrape(Vec<Sample>);

/// One line of an exposition.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Scrape {
    /// Reads the text format. Label values of this service hold no quotes, commas or backslashes.
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).map(Sample::parse).collect())
    }

    /// The sum over all samples of this name that have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|sample| sample.value).sum()
    }

    /// Whether there is a sample of this name with these labels.
    pub(crate) fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.matching(name, labels).next().is_some()
    }

    /// How many requests to `/work` with these labels were counted.
    pub(crate) fn works(&self, labels: &[(&str, &str)]) -> f64 {
        self.requests("/work", labels)
    }

    /// How many requests to this route with these labels were counted.
    pub(crate) fn requests(&self, route: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = [&[("http_route", route)], labels].concat();
        self.sum("http_server_request_duration_seconds_count", &labels)
    }

    pub(crate) fn samples(&self) -> &[Sample] {
        &self.0
    }

    fn matching<'a>(&'a self, name: &'a str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = &'a Sample> {
        let named = self.0.iter().filter(move |sample| sample.name == name);
        named.filter(|sample| labels.iter().all(|(key, value)| sample.label(key) == Some(value)))
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
        Self {
            name: name.to_owned(),
            labels: pairs.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect(),
            value: value.parse().unwrap(),
        }
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}
