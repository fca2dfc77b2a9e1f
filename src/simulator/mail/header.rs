//! Values and parameters of a mail's headers, and the encodings inside them.

use base64::{Engine, alphabet, engine::GeneralPurpose, engine::general_purpose::GeneralPurposeConfig};

use super::super::exchange::percent_decode;

/// Forgiving about missing padding, as mail programs are.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Splits at semicolons outside quotes.
pub(super) fn split_quoted(text: &str) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for sign in text.chars() {
        if sign == ';' && !quoted {
            parts.push(String::new());
            continue;
        }
        if sign == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = sign == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(sign);
        }
    }
    parts
}

pub(super) fn unquote(text: &str) -> String {
    match text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

/// A parameter, also where it is encoded or cut into numbered pieces (RFC 2231).
pub(super) fn parameter(parameters: &[(String, String)], name: &str) -> Option<String> {
    if let Some((_, value)) = parameters.iter().find(|(key, _)| key == name) {
        return Some(decode_words(value));
    }
    let mut pieces: Vec<(u32, bool, &str)> = parameters
        .iter()
        .filter_map(|(key, value)| {
            let suffix = key.strip_prefix(name)?.strip_prefix('*')?;
            let number = suffix.trim_end_matches('*');
            let number = if number.is_empty() { 0 } else { number.parse().ok()? };
            Some((number, suffix.is_empty() || suffix.ends_with('*'), value.as_str()))
        })
        .collect();
    pieces.sort_by_key(|(number, ..)| *number);
    let piece = |(number, encoded, value): (u32, bool, &str)| match (encoded, number) {
        (true, 0) => value.splitn(3, '\'').nth(2).unwrap_or(value).to_owned(),
        (true, _) => value.to_owned(),
        // A plain piece may hold a percent sign that means itself.
        (false, _) => value.replace('%', "%25"),
    };
    let joined: String = pieces.iter().copied().map(piece).collect();
    (!pieces.is_empty()).then(|| percent_decode(&joined))
}

pub(super) fn unescape(line: &[u8], into: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        let hex = line.get(at + 1..at + 3).filter(|_| byte == b'=').and_then(|hex| std::str::from_utf8(hex).ok());
        let value = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        into.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
}

pub(super) fn to_text(bytes: &[u8], charset: &str) -> String {
    match charset.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "latin1" | "windows-1252" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Decodes `=?charset?B?…?=` and `=?charset?Q?…?=`; blanks between two of them disappear (RFC 2047).
pub(super) fn decode_words(value: &str) -> String {
    let (mut decoded, mut rest, mut after_word) = (String::new(), value, false);
    let mut pending: (Vec<u8>, String) = (Vec::new(), String::new());
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        let Some((charset, bytes, length)) = encoded_word(word) else { break };
        let is_continued = after_word && before.trim().is_empty();
        // A letter may be cut in two between words of the same charset.
        if !is_continued || pending.1 != charset {
            decoded.push_str(&to_text(&pending.0, &pending.1));
            pending = (Vec::new(), charset);
        }
        if !is_continued {
            decoded.push_str(before);
        }
        pending.0.extend(bytes);
        rest = word.get(length..).unwrap_or_default();
        after_word = true;
    }
    decoded.push_str(&to_text(&pending.0, &pending.1));
    decoded.push_str(rest);
    decoded
}

/// The charset, the bytes and the length of an encoded word at the start of `text`.
fn encoded_word(text: &str) -> Option<(String, Vec<u8>, usize)> {
    let inner = text.strip_prefix("=?")?;
    let (charset, inner) = inner.split_once('?')?;
    let (encoding, inner) = inner.split_once('?')?;
    let (payload, _) = inner.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => BASE64.decode(payload).ok()?,
        "Q" | "q" => {
            let mut bytes = Vec::new();
            unescape(payload.replace('_', " ").as_bytes(), &mut bytes);
            bytes
        }
        _ => return None,
    };
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + payload.len() + 2;
    Some((charset.to_ascii_lowercase(), bytes, length))
}
