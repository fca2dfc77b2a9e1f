//! SHA-256, as text.

/// A digest of what comes piece by piece.
pub struct Digest(ring::digest::Context);

impl Default for Digest {
    fn default() -> Self {
        Self(ring::digest::Context::new(&ring::digest::SHA256))
    }
}

impl Digest {
    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in hexadecimal, 64 characters.
    #[must_use]
    pub fn finish(self) -> String {
        to_hex(self.0.finish().as_ref())
    }
}

/// The digest in hexadecimal, 64 characters.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |number: u8| char::from(DIGITS[usize::from(number)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
