//! Reads a mail: headers, nested parts, transfer encodings. As little as the mailbox needs, and it never fails: what
//! cannot be read is shown as it is.

use base64::Engine;

use super::{
    Attachment,
    header::{BASE64, decode_words, parameter, split_quoted, to_text, unescape, unquote},
};

/// Parts inside parts, at most.
const DEPTH: u32 = 10;

/// What is in a mail.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<Attachment>,
}

impl Content {
    pub(super) fn subject(&self) -> String {
        let subject = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("subject"));
        subject.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// Reads the mail.
pub(super) fn parse(raw: &[u8]) -> Content {
    let entity = Entity::read(raw);
    let headers = entity.headers.iter().map(|(name, value)| (name.clone(), decode_words(value))).collect();
    let mut content = Content { headers, ..Content::default() };
    collect(&entity, DEPTH, &mut content);
    content
}

fn collect(entity: &Entity<'_>, depth: u32, content: &mut Content) {
    let (kind, parameters) = entity.structured("content-type");
    let kind = if kind.is_empty() { "text/plain".to_owned() } else { kind };
    if let Some(boundary) = parameter(&parameters, "boundary").filter(|_| kind.starts_with("multipart/") && depth > 0) {
        for part in split(entity.body, &boundary) {
            collect(&Entity::read(part), depth - 1, content);
        }
        return;
    }
    let bytes = entity.decoded_body();
    let (disposition, disposition_parameters) = entity.structured("content-disposition");
    let name = parameter(&disposition_parameters, "filename").or_else(|| parameter(&parameters, "name"));
    let is_shown = disposition != "attachment" && name.is_none();
    let charset = parameter(&parameters, "charset").unwrap_or_default();
    match kind.as_str() {
        "text/plain" if is_shown && content.text.is_none() => content.text = Some(to_text(&bytes, &charset)),
        "text/html" if is_shown && content.html.is_none() => content.html = Some(to_text(&bytes, &charset)),
        _ => {
            let name = name.unwrap_or_else(|| format!("part-{}", content.attachments.len() + 1));
            content.attachments.push(Attachment { name, content_type: kind, content: bytes });
        }
    }
}

struct Entity<'a> {
    headers: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> Entity<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut rest = raw;
        while !rest.is_empty() {
            let (line, after) = first_line(rest);
            rest = after;
            let line = String::from_utf8_lossy(line).into_owned();
            if line.is_empty() {
                break;
            }
            match (line.starts_with([' ', '\t']), headers.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (false, _, Some((name, value))) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                _ => {}
            }
        }
        Self { headers, body: rest }
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// A header's value in lower case, and its parameters.
    fn structured(&self, name: &str) -> (String, Vec<(String, String)>) {
        let mut parts = split_quoted(self.header(name)).into_iter();
        let value = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let pair = |part: String| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), unquote(value.trim())))
        };
        (value, parts.filter_map(pair).collect())
    }

    fn decoded_body(&self) -> Vec<u8> {
        match self.header("content-transfer-encoding").trim().to_ascii_lowercase().as_str() {
            "base64" => {
                let text: Vec<u8> = self.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                BASE64.decode(&text).unwrap_or_else(|_| self.body.to_vec())
            }
            "quoted-printable" => quoted_printable(self.body),
            _ => self.body.to_vec(),
        }
    }
}

/// The first line without its end, and what follows it.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let (line, rest) = bytes.split_at(end);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// The parts between the boundary lines.
fn split<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let opening = format!("--{boundary}");
    let closing = format!("--{boundary}--");
    let (mut parts, mut start, mut rest) = (Vec::new(), None::<usize>, body);
    while !rest.is_empty() {
        let at = body.len() - rest.len();
        let (line, after) = first_line(rest);
        rest = after;
        let line = line.trim_ascii_end();
        let is_closing = line == closing.as_bytes();
        if !is_closing && line != opening.as_bytes() {
            continue;
        }
        // The line break before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
        let part = start.and_then(|start| body.get(start..at));
        parts.extend(part.map(|part| part.strip_suffix(b"\r\n").or(part.strip_suffix(b"\n")).unwrap_or(part)));
        start = Some(body.len() - rest.len());
        if is_closing {
            return parts;
        }
    }
    parts.extend(start.and_then(|start| body.get(start..)));
    parts
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = first_line(rest);
        let line_end = rest.get(line.len()..rest.len() - after.len()).unwrap_or_default();
        rest = after;
        let line = line.trim_ascii_end();
        match line.strip_suffix(b"=") {
            Some(line) => unescape(line, &mut decoded),
            None => {
                unescape(line, &mut decoded);
                decoded.extend_from_slice(line_end);
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &str = "Subject: =?utf-8?B?TGl6ZW56IGbDvHI=?= =?utf-8?Q?_Stra=C3=9Fe?=\r\n\
        X-Long: one\r\n two\r\n\
        Content-Type: multipart/mixed; boundary=\"a;b\"\r\n\r\npreamble\r\n\
        --a;b\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n\
        --inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Gr=C3=BC=\r\n=C3=9Fe =3D ja\r\nzweite\r\n\
        --inner\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+SGk8\r\nL3A+\r\n--inner--\r\n\
        --a;b\r\nContent-Type: application/jwt\r\n\
        Content-Disposition: attachment; filename*0*=utf-8''Schl%C3%BCssel; filename*1=.key\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\nabc\r\n--a;b--\r\nepilogue\r\n";

    #[test]
    fn nested_parts_are_told_apart() {
        let content = parse(NESTED.as_bytes());
        assert_eq!(content.subject(), "Lizenz für Straße");
        assert_eq!(content.headers[1], ("X-Long".to_owned(), "one two".to_owned()));
        assert_eq!(content.text.as_deref(), Some("Grüße = ja\r\nzweite"));
        assert_eq!(content.html.as_deref(), Some("<p>Hi</p>"));
        let attachment = Attachment {
            name: "Schlüssel.key".to_owned(),
            content_type: "application/jwt".to_owned(),
            content: b"abc".to_vec(),
        };
        assert_eq!(content.attachments, [attachment]);
    }

    #[test]
    fn a_mail_without_structure_is_text() {
        let content = parse(b"Subject: plain\n\nhello\n");
        assert_eq!((content.subject().as_str(), content.text.as_deref()), ("plain", Some("hello\n")));
        assert_eq!(parse(b"").text.as_deref(), Some(""));
    }

    #[test]
    fn damaged_mail_is_shown_as_it_is() {
        let content = parse(b"Subject: =?utf-8?X?no?= =?\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%");
        assert_eq!(content.subject(), "=?utf-8?X?no?= =?");
        assert_eq!(content.text.as_deref(), Some("%%%"));
        let open = parse(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ncut off");
        assert_eq!(open.text.as_deref(), Some("cut off"));
    }
}
