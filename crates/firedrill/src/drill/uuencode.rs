//! A file as lines of text, for where a log is all that is kept.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Bytes that make a full line of 76 characters.
const LINE: usize = 57;

/// A file, compressed with gzip, in the base64 form of `uuencode` ([POSIX][1]), which `uudecode` reads.
///
/// Gzip carries a checksum, so that whoever reads it from a log knows whether a line was lost.
///
/// [1]: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/uuencode.html
///
/// # Errors
/// Compressing into memory fails only where there is none.
pub(super) fn uuencode(name: &str, file: &[u8]) -> io::Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(file)?;
    let compressed = encoder.finish()?;
    let mut text = format!("begin-base64 644 {name}\n");
    for line in compressed.chunks(LINE) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text += "====\n";
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_was_encoded_is_what_is_decoded_from_lines_of_at_most_76_characters() {
        let file: Vec<u8> =
            (0..10_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let text = uuencode("a b.json.gz", &file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let [first, data @ .., last] = &lines[..] else { panic!("{text}") };
        assert_eq!((*first, *last), ("begin-base64 644 a b.json.gz", "===="));
        assert!(data.len() > 100 && data.iter().all(|line| line.len() <= 76));
        let compressed: Vec<u8> = data.iter().flat_map(|line| STANDARD.decode(line).unwrap()).collect();
        let mut decoded = Vec::new();
        GzDecoder::new(&compressed[..]).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, file);
    }
}
