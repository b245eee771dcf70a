//! What a row of figures comes to, without those that something else disturbed.

/// The lower quartile, the median and the upper quartile.
pub(crate) fn quartiles(figures: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<_> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4])
}

pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    quartiles(figures)[1]
}
